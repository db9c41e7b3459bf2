//! What the losses share.
pub(crate) mod pairs;

use crate::{options::check_scalar, types::Error};

/// The factor of a gradient may be anything that f32 holds.
pub(crate) fn check_grad_scale(op: &'static str, scale: f64) -> Result<(), Error> {
    check_scalar(op, "grad_scale", scale, [f64::NEG_INFINITY, f64::INFINITY])
}
