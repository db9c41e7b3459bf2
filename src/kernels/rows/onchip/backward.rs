//! Gradients of rows that stay on the chip.
use super::{OnChip, Place};
use crate::{
    kernels::{
        channels::{given, vector},
        partition,
        reduce::{Monoid, Partials},
        rows::Backward,
    },
    op::{Arg, ByName, Caps, Lowered, Step},
    params,
    types::{DType, Error, Rows},
    wgsl::{Decl, Spec, View, parts},
};

params! { BackwardParams { place: Place, width: u32, weights: u32, values: f32 } }

/// Appends the dispatch that leaves dx and the columns' partial sums, and the levels that add these. Several dispatches for
/// tensors beyond the binding limit.
pub(crate) fn backward(of: Rows, kind: &Backward, shape: &OnChip, caps: &Caps, args: &[Arg]) -> Result<Lowered, Error> {
    let mut out = Lowered::default();
    let (at, dtype, quads) = (|name| args.find_at(name), args.arg("x").dtype, of.cols as u64 / 4);
    let blocks = (of.rows as u64).div_ceil(shape.block);
    let weight = given("weight", args, of.cols as u64, &mut out, caps);
    // Sums of a workgroup lie one behind the other: those of dy, and then those of dy * xhat.
    let sums: Vec<_> = ["dbias", "dweight"].into_iter().filter_map(at).collect();
    let width = sums.len() as u64 * quads;
    let partials = match sums.is_empty() {
        true => None,
        false => Some(Partials::interleaved(kind.op, &mut out, caps, Monoid::SUM4, width, blocks * shape.left())?),
    };
    let mut parts = vec![shape.part()];
    parts.push(if kind.centered { parts::channels::CENTER_GIVEN } else { parts::channels::CENTER_NONE });
    parts.push(if at("dz").is_some() { parts::rows::DZ_GIVEN } else { parts::rows::DZ_NONE });
    parts.push(if sums.is_empty() { parts::rows::COLUMNS_NONE } else { parts::rows::COLUMNS_KEPT });
    let mut consts = vec![("WG", shape.width as u32), ("ROWS", shape.together as u32)];
    consts.extend(shape.room());
    consts.push(("SPARE", if shape.lanes == shape.width { 1 } else { shape.width as u32 }));
    consts.push(("ALONE", u32::from(shape.lanes == 1 && shape.held == 0)));
    consts.push(("CENTERED", u32::from(kind.centered)));
    // Halves take longer to unpack and pack than to come, and gain nothing.
    consts.push(("AHEAD", u32::from(!caps.cpu && dtype == DType::F32)));
    if !sums.is_empty() {
        consts.push(("DBIAS", u32::from(at("dbias").is_some())));
        consts.push(("DWEIGHT", u32::from(at("dweight").is_some())));
    }
    consts.extend(kind.form.consts());
    shape.joined(quads, &mut parts, &mut consts);
    let span = |i: u64| i * shape.block * quads..((i + 1) * shape.block * quads).min(of.len() as u64 / 4);
    for piece in partition::pieces(kind.op, caps, of.len() as u64, dtype.size(), blocks, span)? {
        let (mut bindings, mut slots) = (vec![], vec![]);
        for (i, arg) in ["x", "dy", "dz", "dx"].into_iter().filter_map(at) {
            bindings.push(Decl { name: arg.name, dtype, view: View::Quads, writes: arg.name == "dx" });
            slots.push(piece.slot(i, arg));
        }
        bindings.push(Decl { name: "weight", dtype: DType::F32, view: View::Quads, writes: false });
        slots.push(weight.clone());
        for name in ["mean", "rstd"].into_iter().skip(usize::from(!kind.centered)) {
            bindings.push(vector(name, false));
            slots.push(args.whole(name));
        }
        if let Some(partials) = &partials {
            bindings.push(Monoid::SUM4.decl("partials", true));
            slots.push(partials.slot());
        }
        out.steps.push(Step {
            spec: Spec {
                shader: shape.kernel(parts::rows::ROW_BACKWARD, parts::rows::ROW_BACKWARD_TEAM),
                entry: "row_backward",
                parts: parts.clone(),
                bindings,
                consts: consts.clone(),
            },
            params: BackwardParams {
                place: Place::new(of, shape, &piece),
                width: width as u32,
                weights: (width - quads.min(width)) as u32,
                values: of.cols as f32,
            }
            .into(),
            slots,
            workgroups: piece.workgroups(),
            trips: shape.trips,
        });
    }
    if let Some(partials) = partials {
        partials.into_args(&mut out, caps, &sums);
    }
    Ok(out)
}
