//! What ops on channels have in common: fields and their checks, arguments.
use crate::{
    op::Arg,
    options::check_held,
    types::{DType, Error, Space},
};

pub(crate) fn check_eps(op: &'static str, eps: f64) -> Result<(), Error> {
    if (0.0..=f64::from(f32::MAX)).contains(&eps) {
        return check_held(op, "eps", "is", eps);
    }
    Err(Error::argument(op, "eps", format!("is {eps}, must be at least 0 and finite in f32; 1e-5 is usual")))
}

/// The arguments of a backward op whose statistics have these names.
pub(crate) fn backward_args(dtype: DType, space: &Space, statistics: [&'static str; 2], weight: bool, bias: bool) -> Vec<Arg> {
    let (len, c) = (space.len(), space.c);
    let mut args = ["x", "dy"].map(|name| Arg::read(name, dtype, len)).to_vec();
    args.extend(statistics.map(|name| Arg::read(name, DType::F32, c)));
    args.extend(weight.then(|| Arg::read("weight", DType::F32, c)));
    args.push(Arg::write("dx", dtype, len));
    args.extend(weight.then(|| Arg::write("dweight", DType::F32, c)));
    args.extend(bias.then(|| Arg::write("dbias", DType::F32, c)));
    args
}
