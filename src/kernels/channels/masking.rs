//! Masks over the positions of a batch: one bit for each (n, s), whatever the layout.
#[cfg(feature = "verify")]
use crate::op::{Pattern, Rng};
use crate::{
    op::Arg,
    types::{DType, Error, HostData, Space},
};

fn positions(space: &Space) -> usize {
    // Saturates before `check` has refused it.
    if space.is_empty() { 0 } else { space.n.saturating_mul(space.s) }
}

/// The mask among the arguments: bit p % 32 of word p / 32 says whether position p = n·S + s counts.
pub(crate) fn mask(space: &Space) -> Arg {
    Arg::read("mask", DType::U32, positions(space).div_ceil(32))
}

/// Checks that the kernels can compute a position from an element.
pub(crate) fn check_masked(op: &'static str, space: &Space) -> Result<(), Error> {
    let len = space.check(op)?;
    if len <= 1 << 32 {
        return Ok(());
    }
    let Space { n, c, s, .. } = space;
    let why = format!("has {n} x {c} x {s} elements, must have at most 2^32 under a mask: split it by channels");
    Err(Error::argument(op, "space", why))
}

/// Whether each value of a channel, sample by sample, counts.
pub(crate) fn kept(space: &Space, words: &HostData) -> Vec<bool> {
    let HostData::U32(words) = words else { panic!("a mask is words") };
    (0..positions(space)).map(|p| words[p / 32] >> (p % 32) & 1 == 1).collect()
}

/// Sequences that end somewhere, single positions at random, everything, or nothing; behind the last position, any bits.
#[cfg(feature = "verify")]
pub(crate) fn fill_mask(space: &Space, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
    let kind = if pattern == Pattern::Zeros { 3 } else { rng.word() % 8 };
    let mut words: Vec<u32> = (0..arg.len).map(|_| rng.word()).collect();
    let mut length = 0;
    for p in 0..positions(space) {
        if p % space.s == 0 {
            length = rng.word() as usize % (space.s + 1);
        }
        let bit = match kind {
            0 | 1 => continue,
            2 => true,
            3 => false,
            _ if space.s == 1 => length == 1,
            _ => p % space.s < length,
        };
        words[p / 32] = words[p / 32] & !(1 << (p % 32)) | u32::from(bit) << (p % 32);
    }
    HostData::U32(words)
}
