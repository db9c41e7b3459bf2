//! Models of one shape side by side, each with settings of its own: what the ops of the family `batched` have in common.
use crate::{
    kernels::linear_models::bindable,
    op::{Arg, Caps},
    types::{DType, Error},
    wgsl::{Decl, View},
};

/// That the device can bind each buffer whole, and that 32 bits number its elements.
///
/// # Errors
/// [`Error::Unsupported`] names the buffer. Lengths saturate, so that a product that overflows is refused here, too.
pub(crate) fn check(op: &'static str, caps: &Caps, args: &[Arg]) -> Result<(), Error> {
    bindable(op, caps, args)?;
    // A little less than 2^32, so that the number of a lane past the end fits as well.
    match args.iter().find(|arg| arg.len as u64 >= 1 << 31) {
        Some(arg) => Err(Error::unsupported(op, format!("`{}` has {} elements, must have fewer than 2^31", arg.name, arg.len))),
        None => Ok(()),
    }
}

/// The length of a tensor.
pub(crate) fn len(sides: &[usize]) -> usize {
    // A side of 0 empties it, whatever the others are.
    if sides.contains(&0) { 0 } else { sides.iter().fold(1, |n, side| n.saturating_mul(*side)) }
}

/// Rows of whole quads, so that every load and store is one.
///
/// # Errors
/// Names `width`.
pub(crate) fn check_width(op: &'static str, width: usize) -> Result<(), Error> {
    if width.is_multiple_of(4) {
        return Ok(());
    }
    Err(Error::argument(op, "width", format!("is {width}, must be a multiple of 4: fill up the last quad with zeros")))
}

/// Lanes of a workgroup: most of these kernels have few lanes, and wide workgroups would leave most of a GPU idle.
pub(crate) fn lanes(caps: &Caps) -> u32 {
    caps.lanes.min(64)
}

/// A binding of four values at a time.
pub(crate) fn quads(name: &'static str, writes: bool) -> Decl {
    Decl { name, dtype: DType::F32, view: View::Quads, writes }
}

/// A binding of the bits of single values.
pub(crate) fn bits(name: &'static str, writes: bool) -> Decl {
    Decl { name, dtype: DType::F32, view: View::Raw("u32"), writes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_saturate_and_nothing_is_nothing() {
        assert_eq!(len(&[3, 5, 7]), 105);
        assert_eq!(len(&[usize::MAX, 2, 3]), usize::MAX);
        assert_eq!(len(&[usize::MAX, usize::MAX, 0]), 0);
    }
}
