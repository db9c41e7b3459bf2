//! The dispatches of a backward pass.
use super::{Backward, OnChip, onchip};
use crate::{
    kernels::{
        channels::{Channels, Map, Merge, Reduction, Team, given, vectors},
        reduce::{Monoid, Partials},
    },
    op::{Arg, ByName, Caps, Lowered},
    params,
    types::{DType, Error, Rows},
    wgsl::parts,
};

params! { RowsParams { team: Team, coefs: u32, values: f32 } }

/// Sums of each row, its coefficients by the op's own kernel, dx; then sums of each column if anyone wants them.
pub(crate) fn backward(of: Rows, kind: &Backward, caps: &Caps, args: &[Arg]) -> Result<Lowered, Error> {
    let (mut out, op) = (Lowered::default(), kind.op);
    if of.rows == 0 && of.cols == 0 {
        return Ok(out);
    }
    let columns = ["dweight", "dbias"].into_iter().filter(|name| args.find(name).is_some()).count();
    if let Ok(shape) = OnChip::backward(of, args.arg("x").dtype.size(), columns as u64, caps) {
        return onchip::backward::backward(of, kind, &shape, caps, args);
    }
    let names = &["mean", "rstd"][usize::from(!kind.centered)..];
    let spread = |name| if name == "rstd" { "spread" } else { name };
    let statistics: Vec<_> = names.iter().map(|name| (spread(*name), args.whole(name))).collect();
    let center = if kind.centered { parts::channels::CENTER_GIVEN } else { parts::channels::CENTER_NONE };
    let tensors = [("x", "x"), ("dy", "dy")];
    if of.rows > 0 {
        let tensor = Channels::by_row(of);
        let weight = ("weight", given("weight", args, of.cols.max(1) as u64, &mut out, caps));
        let beside: Vec<_> = statistics.iter().cloned().chain([weight.clone()]).collect();
        let parts = [parts::channels::PRODUCTS, parts::rows::GRADIENT_WEIGHTED, center];
        let what = Reduction { vectors: &beside, consts: kind.form.consts(), ..Reduction::of(&parts, Monoid::SUM4, &tensors) };
        let partials = tensor.reduce(op, &mut out, caps, args, &what)?.few(&mut out, caps);
        let (_, start, coefs) = partials.with_coefs(op, &mut out, caps, tensor.channels)?;
        let merge = Merge::into(&partials, coefs, caps);
        let params = RowsParams { team: merge.team, coefs: start, values: tensor.inner.max(1) as f32 };
        let of_rows = vectors(names, args, tensor.channels, &mut out, caps);
        out.steps.push(merge.step(caps, kind.source, of_rows, params));
        // Another gradient of x, where there is one.
        let other = args.find("dz").map(|_| ("dz", "dz"));
        let map = if other.is_some() { parts::rows::NORMALIZE_BACKWARD_ADD } else { parts::rows::NORMALIZE_BACKWARD };
        let mut tensors = tensors.to_vec();
        tensors.extend(other);
        tensors.push(("dx", "dx"));
        let map = Map { part: map, tensors: &tensors, vectors: &[weight], consts: kind.form.consts() };
        tensor.apply(op, &mut out, caps, args, &map, merge.coefs)?;
    }
    if of.cols == 0 || columns == 0 {
        return Ok(out);
    }
    let (tensor, parts) = (Channels::by_column(of), [parts::rows::COLUMN_PRODUCTS, center]);
    let what = Reduction { vectors: &statistics, ..Reduction::of(&parts, Monoid::SUM4, &tensors) };
    let partials = tensor.reduce(op, &mut out, caps, args, &what)?.few(&mut out, caps);
    finish_columns(&mut out, caps, args, &partials);
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

/// The sum of each channel of the argument of this name, into the argument `dbias`: f32, in a fixed order.
pub(crate) fn column_sums(
    op: &'static str,
    out: &mut Lowered,
    caps: &Caps,
    args: &[Arg],
    tensor: Channels,
    x: &'static str,
) -> Result<(), Error> {
    let tensors = [("x", x)];
    let what = Reduction::of(&[parts::rows::SUMS], Monoid::SUM4, &tensors);
    let partials = tensor.reduce(op, out, caps, args, &what)?.few(out, caps);
    finish_columns(out, caps, args, &partials);
    Ok(())
}

/// Adds the last partials of each channel: their first entries are `dbias`, their second `dweight`, as far as there are such
/// arguments.
pub(crate) fn finish_columns(out: &mut Lowered, caps: &Caps, args: &[Arg], partials: &Partials) {
    let mut merge = Merge::alone(partials, caps);
    // As written: scratch that nobody reads may stand for a gradient, and a buffer has one usage in a dispatch.
    merge.partials.0.writes = true;
    let vectors = vectors(&["dweight", "dbias"], args, partials.rows, out, caps);
    out.steps.push(merge.step(caps, parts::rows::COLUMN_GRADIENTS, vectors, merge.team));
}
