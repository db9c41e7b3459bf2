//! The rule of scalar fields, in one place: which numbers an op takes from its caller.
use crate::types::Error;

/// Whether every device holds `v` as it is, but for rounding: 0, or a normal and finite number in f32.
fn held(v: f64) -> bool {
    v == 0.0 || (v as f32).is_normal()
}

/// What is wrong with a number that is not [`held`].
fn why(v: f64) -> String {
    if !(v as f32).is_finite() {
        return format!("must be finite in f32, whose largest number is {:?}", f32::MAX);
    }
    let (than, least) = if v < 0.0 { ("at most -", f32::MIN_POSITIVE) } else { ("at least ", f32::MIN_POSITIVE) };
    format!("must be 0 or {than}{least:?}: f32's least normal number, below which devices flush to 0")
}

/// The rule of every scalar field of every op: a number is 0, or normal and finite in f32. Below the least normal number,
/// 2^-126, some devices take 0 where others and the f64 reference keep the number, so that it would mean one thing here and another
/// there: it is refused, and not rounded. `is` comes before the value in the text: "is", "has momentum".
///
/// What a kernel needs beside a field is derived from it on the host, in f64, and then rounded: 1 - p, 1 - β, 1/scale, lr · decay.
/// So a number that only rounds to 1 in f32, a decay of 1 - 1e-9, loses nothing where the kernel takes the complement; where it takes
/// the number itself, and 1 means another thing, the field's own range says so (an optimizer's β). Derived numbers obey the same rule:
/// [`check_derived`].
pub(crate) fn check_held(op: &'static str, field: &'static str, is: &str, v: f64) -> Result<(), Error> {
    if held(v) { Ok(()) } else { Err(Error::argument(op, field, format!("{is} {v:?}, {}", why(v)))) }
}

/// The same for what is derived from fields, `what` it is: refused where it would be flushed to 0 or rounded to infinity, while
/// the fields themselves are in range.
pub(crate) fn check_derived(op: &'static str, field: &'static str, what: &str, v: f64) -> Result<(), Error> {
    if held(v) { Ok(()) } else { Err(Error::argument(op, field, format!("makes {what} = {v:?}, which {}", why(v)))) }
}

/// A scalar field lies in a range, both ends included, and obeys the rule of [`check_held`].
pub(crate) fn check_scalar(op: &'static str, field: &'static str, v: f64, [lo, hi]: [f64; 2]) -> Result<(), Error> {
    if (v as f32).is_finite() && (lo..=hi).contains(&v) {
        return check_held(op, field, "is", v);
    }
    let range = match (lo == f64::NEG_INFINITY, hi == f64::INFINITY) {
        (true, _) => String::new(),
        (_, true) => format!(" and at least {lo}"),
        _ => format!(" and in {lo}..={hi}"),
    };
    Err(Error::argument(op, field, format!("is {v}, must be finite in f32{range}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_device_holds() {
        let least = f64::from(f32::MIN_POSITIVE);
        for v in [0.0, -0.0, least, -least, 1.17549435e-38, 1.0, f64::from(f32::MAX), -f64::from(f32::MAX)] {
            assert!(held(v), "{v:e}");
        }
        let subnormal = f64::from(f32::from_bits(f32::MIN_POSITIVE.to_bits() - 1));
        for v in [subnormal, 1e-39, 1e-46, 5e-324, -1e-40, 3.5e38, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            assert!(!held(v), "{v:e}");
        }
        // Rounds to the least normal number.
        assert!(held(least - 0.4 * (least - subnormal)) && !held(least - 0.6 * (least - subnormal)));
    }
}
