//! Results held against what they must be.
use crate::{
    op::{Access, Arg, Expected, Verify},
    types::{Error, HostData, memory},
};

/// The first element that is wrong, in words. A bound that is no number, or infinite, where the value is a number, is a failure
/// too, whatever was got: a right result would be called wrong, or a wrong one right.
///
/// # Errors
/// The element's index, what was got and what was wanted.
pub fn compare(got: &HostData, expected: &Expected) -> Result<(), String> {
    match expected {
        Expected::Exact(want) => {
            if got.dtype() != want.dtype() || got.len() != want.len() {
                return Err(format!("got {} of {:?}, want {} of {:?}", got.len(), got.dtype(), want.len(), want.dtype()));
            }
            let size = got.dtype().size() as usize;
            let (g, w) = (got.bytes(), want.bytes());
            match g.chunks(size).zip(w.chunks(size)).position(|(g, w)| g != w) {
                None => Ok(()),
                Some(i) => {
                    let at = |b: &[u8]| b[i * size..][..size].iter().rev().map(|x| format!("{x:02x}")).collect::<String>();
                    Err(format!("element {i}: got 0x{}, want 0x{}", at(g), at(w)))
                }
            }
        }
        Expected::Within { value, bound } => {
            let got = got.to_f64();
            if got.len() != value.len() || bound.len() != value.len() {
                return Err(format!("got {} elements, want {}", got.len(), value.len()));
            }
            for (i, ((&g, &v), &b)) in got.iter().zip(value).zip(bound).enumerate() {
                // No bound at all, or one that everything is within, checks nothing.
                if v.is_finite() && !(0.0..f64::INFINITY).contains(&b) {
                    return Err(format!(
                        "element {i}: the reference says {v:e} ± {b:e}: that is no bound, so it is the reference that fails (got {g:e})"
                    ));
                }
                // Written so that a NaN on either side fails unless both are NaN, and that no bound excuses a missed infinity.
                let right = (v.is_finite() && (g - v).abs() <= b) || g == v || (g.is_nan() && v.is_nan());
                if !right {
                    return Err(format!("element {i}: got {g:e}, want {v:e} ± {b:e}"));
                }
            }
            Ok(())
        }
    }
}

/// What the reference of a valid op makes of the contents of all arguments, as the storage types hold it: one entry per written or
/// updated argument.
///
/// # Errors
/// [`Error::HostMemory`] if the host has not as much memory as the reference needs, [`Verify::reference_bytes`].
pub fn results(op: &dyn Verify, data: &[HostData]) -> Result<Vec<HostData>, Error> {
    let args = op.args();
    let written = || args.iter().filter(|a| a.access != Access::Read);
    // Loops over nothing may be long, too.
    if written().all(|a| a.len == 0) {
        return written().map(|a| HostData::try_zeros(a.dtype, 0)).collect();
    }
    let bytes = written().fold(op.reference_bytes(), |sum, a| sum.saturating_add(a.bytes()));
    memory::check(&format!("{}: the reference", op.name()), bytes)?;
    let rounded = |(a, result): (&Arg, Expected)| match result {
        Expected::Exact(data) => data,
        Expected::Within { value, .. } => HostData::from_f64(a.dtype, value),
    };
    Ok(written().zip(op.reference(data)).map(rounded).collect())
}
