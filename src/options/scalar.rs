//! The range of a scalar field.
use crate::types::Error;

/// A scalar field must fit f32 and lie in a range, both ends included.
pub(crate) fn check_scalar(op: &'static str, field: &'static str, v: f64, [lo, hi]: [f64; 2]) -> Result<(), Error> {
    if (v as f32).is_finite() && (lo..=hi).contains(&v) {
        return Ok(());
    }
    let range = match (lo == f64::NEG_INFINITY, hi == f64::INFINITY) {
        (true, _) => String::new(),
        (_, true) => format!(" and at least {lo}"),
        _ => format!(" and in {lo}..={hi}"),
    };
    Err(Error::argument(op, field, format!("is {v}, must be finite in f32{range}")))
}
