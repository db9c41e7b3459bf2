//! Norms of rows that stay on the chip.
use super::OnChip;
use crate::{
    Arg, Caps, DType, Error, Lowered, Step, WeightForm,
    channels::{given_or, position, vector, whole},
    params,
    rows::Rows,
    tile,
    wgsl::{Decl, Spec, View, part},
};

params! {
    ForwardParams {
        rows: u32, quads: u32, first: u32, blocks: u32, block: u32, lanes: u32, turns: u32, base: u32, values: f32, eps: f32
    }
}

/// A norm of rows by `lib/row_forward`.
pub(crate) struct Forward {
    pub op: &'static str,
    /// The statistics and what becomes of a value: `lib/row_moments` or `lib/row_squares`.
    pub part: &'static str,
    /// Whether there are means and biases.
    pub centered: bool,
    pub form: WeightForm,
    pub eps: f64,
}

impl Forward {
    /// Appends the dispatch: from the argument `x` to those named y, mean and rstd, with those named weight and bias. Several
    /// for tensors beyond the binding limit.
    pub fn append(&self, of: Rows, shape: &OnChip, out: &mut Lowered, caps: &Caps, args: &[Arg], x: usize) -> Result<(), Error> {
        let at = |name| position(args, name).expect("an argument");
        let (y, dtype, cols) = (at("y"), args[x].dtype, of.cols as u64);
        let mut columns = vec![("weight", given_or(1.0, args, "weight", cols, out, caps))];
        if self.centered {
            columns.push(("bias", given_or(0.0, args, "bias", cols, out, caps)));
        }
        let quads = cols / 4;
        let span = |i: u64| i * shape.block * quads..((i + 1) * shape.block * quads).min(of.len() as u64 / 4);
        let blocks = (of.rows as u64).div_ceil(shape.block);
        for piece in tile::pieces(self.op, caps, of.len() as u64, dtype.size(), blocks, span)? {
            let mut bindings = vec![
                Decl { name: "x", dtype, view: View::Quads, writes: false },
                Decl { name: "y", dtype, view: View::Quads, writes: true },
            ];
            let mut slots = vec![piece.slot(x, &args[x]), piece.slot(y, &args[y])];
            for &(name, ref slot) in &columns {
                bindings.push(Decl { name, dtype: DType::F32, view: View::Quads, writes: false });
                slots.push(slot.clone());
            }
            for name in ["mean", "rstd"].into_iter().skip(usize::from(!self.centered)) {
                bindings.push(vector(name, true));
                slots.push(whole(args, at(name)));
            }
            let mut consts = vec![("WG", caps.lanes), ("ROWS", shape.together as u32)];
            consts.push(("SLOTS", caps.lanes * shape.together as u32));
            consts.extend(self.form.consts());
            let blocks = piece.blocks.end - piece.blocks.start;
            out.steps.push(Step {
                spec: Spec {
                    shader: part("lib/row_forward"),
                    entry: "row_forward",
                    parts: [shape.part(), self.part].map(part).into(),
                    bindings,
                    consts,
                },
                params: ForwardParams {
                    rows: of.rows as u32,
                    quads: quads as u32,
                    first: piece.blocks.start as u32,
                    blocks: blocks as u32,
                    block: shape.block as u32,
                    lanes: shape.lanes as u32,
                    turns: shape.turns as u32,
                    base: piece.base(),
                    values: of.cols as f32,
                    eps: self.eps as f32,
                }
                .into(),
                slots,
                workgroups: blocks,
                trips: shape.trips,
            });
        }
        Ok(())
    }
}
