//! Norms of rows that stay on the chip.
use super::OnChip;
use crate::{
    kernels::{
        channels::{given, vector},
        partition::{self, Piece, Window},
    },
    op::{Arg, ByName, Caps, Lowered, Params, Slot, Step},
    options::WeightForm,
    params,
    types::{DType, Error, Rows},
    wgsl::{Decl, Source, Spec, View, parts},
};

params! { ForwardParams { place: Place, values: f32, eps: f32 } }

/// Whose weight and bias multiply and move a value.
#[derive(Clone, Copy)]
pub(crate) enum Affine {
    /// Of its place in the row.
    Places(WeightForm),
    /// Of its channel: a row is one of `groups` groups of a sample, of `per` channels with `plane` values each.
    Channels { groups: u64, per: u64, plane: u64 },
}

/// A norm of rows by `lib/rows/row_forward`.
pub(crate) struct Forward {
    pub op: &'static str,
    /// The statistics and what becomes of a value: `lib/rows/row_affine` or `norms/parts/row_squares`.
    pub part: Source,
    /// Whether there are means and biases.
    pub centered: bool,
    pub affine: Affine,
    pub eps: f64,
}

params! {
    /// What kernels of rows are told in any case.
    pub(crate) Place { rows: u32, quads: u32, first: u32, blocks: u32, block: u32, lanes: u32, turns: u32, base: u32 }
}

impl Place {
    /// Of a piece of these rows.
    pub fn new(of: Rows, shape: &OnChip, piece: &Piece) -> Self {
        let Window { first, blocks, base, .. } = piece.window();
        let [block, lanes, turns] = [shape.block, shape.lanes, shape.turns].map(|n| n as u32);
        Self { rows: of.rows as u32, quads: of.cols as u32 / 4, first, blocks, block, lanes, turns, base }
    }

    /// With the number of values in a row, and ε.
    pub fn params(self, of: Rows, eps: f64) -> Params {
        ForwardParams { place: self, values: of.cols as f32, eps: eps as f32 }.into()
    }
}

/// A use of `lib/rows/row_forward`.
pub(crate) struct RowMap<'a> {
    pub op: &'static str,
    /// What fills the kernel's open names, but for `lib/rows/regs_*`.
    pub parts: &'a [Source],
    /// The arguments that are its x and y.
    pub tensors: [&'static str; 2],
    /// Buffers beside these.
    pub beside: &'a [(Decl, Slot)],
    pub consts: &'a [(&'static str, u32)],
    pub params: &'a dyn Fn(Place) -> Params,
}

impl RowMap<'_> {
    /// Appends the dispatch. Several for tensors beyond the binding limit.
    pub fn append(&self, of: Rows, shape: &OnChip, out: &mut Lowered, caps: &Caps, args: &[Arg]) -> Result<(), Error> {
        let ([x, y], quads) = (self.tensors.map(|name| args.at(name)), of.cols as u64 / 4);
        let dtype = x.1.dtype;
        let span = |i: u64| i * shape.block * quads..((i + 1) * shape.block * quads).min(of.len() as u64 / 4);
        let blocks = (of.rows as u64).div_ceil(shape.block);
        for piece in partition::pieces(self.op, caps, of.len() as u64, dtype.size(), blocks, span)? {
            let mut bindings = vec![
                Decl { name: "x", dtype, view: View::Quads, writes: false },
                Decl { name: "y", dtype, view: View::Quads, writes: true },
            ];
            bindings.extend(self.beside.iter().map(|b| b.0));
            let mut slots = vec![piece.slot(x.0, x.1), piece.slot(y.0, y.1)];
            slots.extend(self.beside.iter().map(|b| b.1.clone()));
            let mut consts = vec![("WG", shape.width as u32), ("ROWS", shape.together as u32)];
            consts.extend(shape.room());
            consts.push(("ALONE", u32::from(shape.lanes == 1 && shape.held == 0)));
            consts.extend(self.consts);
            let mut parts: Vec<Source> = std::iter::once(shape.part()).chain(self.parts.iter().copied()).collect();
            shape.joined(quads, &mut parts, &mut consts);
            out.steps.push(Step {
                spec: Spec {
                    shader: shape.kernel(parts::rows::ROW_FORWARD, parts::rows::ROW_FORWARD_TEAM),
                    entry: "row_forward",
                    parts,
                    bindings,
                    consts,
                },
                params: (self.params)(Place::new(of, shape, &piece)),
                slots,
                workgroups: piece.workgroups(),
                trips: shape.trips,
            });
        }
        Ok(())
    }
}

impl Forward {
    /// Appends the dispatch: from the argument named x to those named y, mean and rstd, with those named weight and bias. Several
    /// for tensors beyond the binding limit.
    pub fn append(&self, of: Rows, shape: &OnChip, out: &mut Lowered, caps: &Caps, args: &[Arg]) -> Result<(), Error> {
        let quads = |name| Decl { name, dtype: DType::F32, view: View::Quads, writes: false };
        let (weight, bias, values, affine, consts) = match self.affine {
            Affine::Places(form) => {
                (quads("weight"), quads("bias"), of.cols as u64, parts::rows::AFFINE_PLACES, form.consts().to_vec())
            }
            Affine::Channels { groups, per, plane } => {
                let consts = vec![("GROUPS", groups as u32), ("PER", per as u32), ("PLANE", plane as u32)];
                (vector("weight", false), vector("bias", false), groups * per, parts::rows::AFFINE_CHANNELS, consts)
            }
        };
        let mut parts = vec![self.part];
        let mut beside = vec![(weight, given("weight", args, values, out, caps))];
        if self.centered {
            parts.push(affine);
            beside.push((bias, given("bias", args, values, out, caps)));
        }
        for name in ["mean", "rstd"].into_iter().skip(usize::from(!self.centered)) {
            beside.push((vector(name, true), args.whole(name)));
        }
        let params = |place: Place| place.params(of, self.eps);
        let map = RowMap { op: self.op, parts: &parts, tensors: ["x", "y"], beside: &beside, consts: &consts, params: &params };
        map.append(of, shape, out, caps, args)
    }
}
