//! What the checks of bias_act_dropout_add draw, forward and backward.
use crate::{
    op::{Arg, Pattern, Rng},
    types::HostData,
};

pub(in crate::ops) fn patterns() -> Vec<Pattern> {
    vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
}

/// As far as any activation still bends.
pub(in crate::ops) fn domain(arg: &Arg) -> [f64; 2] {
    if arg.name == "x" { [-6.0, 6.0] } else { [-1.0, 1.0] }
}

/// Some inputs where activations have long become straight; the bias is ordinary.
pub(in crate::ops) fn fill(arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
    if arg.name == "bias" {
        return rng.fill(arg, domain(arg), Pattern::Ordinary);
    }
    let values = rng.fill(arg, domain(arg), pattern).to_f64();
    if arg.name != "x" || pattern != Pattern::Ordinary {
        return HostData::from_f64(arg.dtype, values);
    }
    let far = values.into_iter().enumerate().map(|(i, v)| if i % 9 == 4 { 20.0 * v } else { v });
    HostData::from_f64(arg.dtype, far)
}
