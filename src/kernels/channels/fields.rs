//! What ops on channels have in common: fields and their checks, arguments.
use crate::{
    op::{Arg, Cost},
    options::check_held,
    types::{DType, Error, Space},
};

/// What it costs that tensors of this shape cross the bus so many times in all.
pub(crate) fn cost(dtype: DType, space: &Space, tensors: u64) -> Cost {
    let elements = space.len() as u64;
    Cost { bytes: tensors * elements * dtype.size(), elements }
}

pub(crate) fn check_eps(op: &'static str, eps: f64) -> Result<(), Error> {
    if (0.0..=f64::from(f32::MAX)).contains(&eps) {
        return check_held(op, "eps", "is", eps);
    }
    Err(Error::argument(op, "eps", format!("is {eps}, must be at least 0 and finite in f32; 1e-5 is usual")))
}

/// The arguments of a forward op, with statistics of so many lines.
pub(crate) fn forward_args(dtype: DType, space: &Space, lines: usize, weight: bool, bias: bool) -> Vec<Arg> {
    let (len, c) = (space.len(), space.c);
    let mut args = vec![Arg::read("x", dtype, len)];
    args.extend(weight.then(|| Arg::read("weight", DType::F32, c)));
    args.extend(bias.then(|| Arg::read("bias", DType::F32, c)));
    args.push(Arg::write("y", dtype, len));
    args.extend(["mean", "rstd"].map(|name| Arg::write(name, DType::F32, lines)));
    args
}

/// Running statistics, among the arguments.
pub(crate) fn running_args(channels: usize) -> [Arg; 2] {
    ["running_mean", "running_var"].map(|name| Arg::update(name, DType::F32, channels))
}

/// The arguments of a backward op: the statistics of so many lines have these names.
pub(crate) fn backward_args(
    dtype: DType,
    space: &Space,
    (statistics, lines): ([&'static str; 2], usize),
    weight: bool,
    bias: bool,
) -> Vec<Arg> {
    let (len, c) = (space.len(), space.c);
    let mut args = ["x", "dy"].map(|name| Arg::read(name, dtype, len)).to_vec();
    args.extend(statistics.map(|name| Arg::read(name, DType::F32, lines)));
    args.extend(weight.then(|| Arg::read("weight", DType::F32, c)));
    args.push(Arg::write("dx", dtype, len));
    args.extend(weight.then(|| Arg::write("dweight", DType::F32, c)));
    args.extend(bias.then(|| Arg::write("dbias", DType::F32, c)));
    args
}
