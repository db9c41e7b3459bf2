//! The dispatches of a backward pass.
use super::{Backward, OnChip, onchip};
use crate::{
    kernels::{
        channels::{Channels, Map, Reduction, Team, given_or, position, unused_or, vector, whole},
        reduce::{Monoid, Partials},
    },
    op::{Arg, Caps, Lowered, Step},
    params,
    types::{DType, Error, Rows},
    wgsl::{Spec, parts},
};

params! { RowsParams { blocks: u32, channels: u32, row: u32, stride: u32, count: u32, coefs: u32, values: f32 } }
params! { ColumnsParams { blocks: u32, channels: u32, row: u32, stride: u32, count: u32 } }

/// Sums of each row, its coefficients by the op's own kernel, dx; then sums of each column if anyone wants them.
/// Arguments `x` and `dy` come first.
pub(crate) fn backward(of: Rows, kind: &Backward, caps: &Caps, args: &[Arg]) -> Result<Lowered, Error> {
    let (mut out, op) = (Lowered::default(), kind.op);
    if of.rows == 0 && of.cols == 0 {
        return Ok(out);
    }
    let columns = ["dweight", "dbias"].into_iter().filter(|n| position(args, n).is_some()).count();
    if let Ok(shape) = OnChip::backward(of, args[0].dtype.size(), columns as u64, caps) {
        return onchip::backward::backward(of, kind, &shape, caps, args);
    }
    let names = [("mean", "mean"), ("spread", "rstd")];
    let names = if kind.centered { &names[..] } else { &names[1..] };
    let statistics: Vec<_> = names.iter().map(|n| (n.0, whole(args, position(args, n.1).expect("an argument")))).collect();
    let center = if kind.centered { parts::channels::CENTER_GIVEN } else { parts::channels::CENTER_NONE };
    let tensors = [("x", 0), ("dy", 1)];
    if of.rows > 0 {
        let tensor = Channels::by_row(of);
        let weight = ("weight", given_or(1.0, args, "weight", of.cols.max(1) as u64, &mut out, caps));
        let vectors: Vec<_> = statistics.iter().cloned().chain([weight.clone()]).collect();
        let what = Reduction {
            parts: &[parts::channels::PRODUCTS, parts::rows::GRADIENT_WEIGHTED, center],
            monoid: Monoid::SUM4,
            tensors: &tensors,
            vectors: &vectors,
            consts: kind.form.consts(),
            eps: 0.0,
        };
        let partials = tensor.reduce(op, &mut out, caps, args, &what)?.few(&mut out, caps);
        let (both, start, coefs) = partials.with_coefs(op, &mut out, caps, tensor.channels)?;
        let team = Team::of(tensor.channels, partials.count, caps);
        let mut bindings = vec![Monoid::SUM4.decl("partials", true)];
        bindings.extend(names.iter().map(|n| vector(n.1, false)));
        let mut slots = vec![both];
        slots.extend(statistics.iter().map(|s| s.1.clone()));
        out.steps.push(Step {
            spec: Spec { shader: kind.source, entry: kind.entry, parts: vec![], bindings, consts: team.consts(caps) },
            params: RowsParams {
                blocks: team.blocks as u32,
                channels: tensor.channels as u32,
                row: partials.row as u32,
                stride: partials.stride as u32,
                count: partials.count as u32,
                coefs: start,
                values: tensor.inner.max(1) as f32,
            }
            .into(),
            slots,
            workgroups: team.blocks,
            trips: team.trips,
        });
        // Another gradient of x, where there is one.
        let other = position(args, "dz").map(|dz| ("dz", dz, false));
        let map = if other.is_some() { parts::rows::NORMALIZE_BACKWARD_ADD } else { parts::rows::NORMALIZE_BACKWARD };
        let mut tensors = vec![("x", 0, false), ("dy", 1, false)];
        tensors.extend(other);
        tensors.push(("dx", position(args, "dx").expect("an argument"), true));
        let map = Map { part: map, tensors: &tensors, vectors: &[weight], consts: kind.form.consts() };
        tensor.apply(op, &mut out, caps, args, &map, coefs)?;
    }
    let (dweight, dbias) = (position(args, "dweight"), position(args, "dbias"));
    if of.cols == 0 || (dweight, dbias) == (None, None) {
        return Ok(out);
    }
    let tensor = Channels::by_column(of);
    let what = Reduction {
        parts: &[parts::rows::COLUMN_PRODUCTS, center],
        monoid: Monoid::SUM4,
        tensors: &tensors,
        vectors: &statistics,
        consts: &[],
        eps: 0.0,
    };
    let partials = tensor.reduce(op, &mut out, caps, args, &what)?.few(&mut out, caps);
    finish_columns(&mut out, caps, args, &partials, dweight, dbias);
    Ok(out)
}

/// The arguments: statistics of each row by name, and what belongs to the columns.
pub(crate) fn backward_args(dtype: DType, of: Rows, statistics: &[&'static str], weight: bool, bias: bool) -> Vec<Arg> {
    let mut args = ["x", "dy"].map(|name| Arg::read(name, dtype, of.len())).to_vec();
    args.extend(statistics.iter().map(|name| Arg::read(name, DType::F32, of.rows)));
    args.extend(weight.then(|| Arg::read("weight", DType::F32, of.cols)));
    args.push(Arg::write("dx", dtype, of.len()));
    args.extend(weight.then(|| Arg::write("dweight", DType::F32, of.cols)));
    args.extend(bias.then(|| Arg::write("dbias", DType::F32, of.cols)));
    args
}

/// The sum of each channel of the argument `x`, into the argument `sums`: f32, in a fixed order.
pub(crate) fn column_sums(
    op: &'static str,
    out: &mut Lowered,
    caps: &Caps,
    args: &[Arg],
    tensor: Channels,
    x: usize,
    sums: usize,
) -> Result<(), Error> {
    let (parts, tensors) = (&[parts::rows::SUMS], &[("x", x)]);
    let what = Reduction { parts, monoid: Monoid::SUM4, tensors, vectors: &[], consts: &[], eps: 0.0 };
    let partials = tensor.reduce(op, out, caps, args, &what)?.few(out, caps);
    finish_columns(out, caps, args, &partials, None, Some(sums));
    Ok(())
}

/// Adds the last partials of each channel: their first entries are dbias, their second dweight.
pub(crate) fn finish_columns(
    out: &mut Lowered,
    caps: &Caps,
    args: &[Arg],
    partials: &Partials,
    dweight: Option<usize>,
    dbias: Option<usize>,
) {
    let team = Team::of(partials.rows, partials.count, caps);
    let slots = vec![
        partials.slot(),
        unused_or(dweight, args, partials.rows, out, caps),
        unused_or(dbias, args, partials.rows, out, caps),
    ];
    out.steps.push(Step {
        spec: Spec {
            shader: parts::rows::COLUMN_GRADIENTS,
            entry: "column_gradients",
            parts: vec![],
            // As written: scratch that nobody reads may stand for a gradient, and a buffer has one usage in a dispatch.
            bindings: vec![Monoid::SUM4.decl("partials", true), vector("dweight", true), vector("dbias", true)],
            consts: team.consts(caps),
        },
        params: ColumnsParams {
            blocks: team.blocks as u32,
            channels: partials.rows as u32,
            row: partials.row as u32,
            stride: partials.stride as u32,
            count: partials.count as u32,
        }
        .into(),
        slots,
        workgroups: team.blocks,
        trips: team.trips,
    });
}
