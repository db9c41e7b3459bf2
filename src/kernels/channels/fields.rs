//! What ops on channels have in common: fields and their checks, arguments.
use crate::{
    op::{Arg, Field},
    options::check_held,
    types::{DType, Error, Space},
};

/// Fields that the ops share, for their rows of the ops table.
pub(crate) const DTYPE: Field =
    Field { name: "dtype", default: "", about: "storage of tensors: f32, f16 or bf16; vectors are f32" };
pub(crate) const SPACE: Field =
    Field { name: "space", default: "", about: "shape: n, c, s and layout (channels_first or channels_last)" };
pub(crate) const EPS: Field =
    Field { name: "eps", default: "1e-5", about: "ε, added to the variance inside the root, at least 0" };
pub(crate) const VIRTUAL_BATCH: Field =
    Field { name: "virtual_batch", default: "", about: "samples that are normalised together: a divisor of n" };
pub(crate) const WEIGHT: Field = Field { name: "weight", default: "true", about: "whether there is a γ" };
pub(crate) const BIAS: Field = Field { name: "bias", default: "true", about: "whether there is a β" };
pub(crate) const DWEIGHT: Field = Field { name: "weight", default: "true", about: "whether there is a γ, and so a dweight" };
pub(crate) const DBIAS: Field = Field { name: "bias", default: "true", about: "whether there is a β, and so a dbias" };
pub(crate) const RESIDUAL: Field =
    Field { name: "residual", default: "false", about: "whether a tensor is added before the activation" };
pub(crate) const DRESIDUAL: Field =
    Field { name: "residual", default: "false", about: "whether a tensor was added before the activation, and so a dresidual" };

pub(crate) fn eps() -> f64 {
    1e-5
}

pub(crate) fn yes() -> bool {
    true
}

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
