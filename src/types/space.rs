//! The index space of tensors with a batch, channels, and positions.
use crate::types::Error;
use ridgepole_derive::value;
use serde::{Deserialize, Serialize};

/// In which order the elements of a [`Space`] lie in memory.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// (N, C, S): element (n, c, s) lies at `(n·C + c)·S + s`. PyTorch's contiguous format, NCHW.
    #[default]
    ChannelsFirst,
    /// (N, S, C): element (n, c, s) lies at `(n·S + s)·C + c`. NHWC.
    ChannelsLast,
}

/// A dense tensor as (N, C, S): batch, channels, and the product of all spatial sizes.
///
/// A table of rows and features is (rows, features, 1); an image batch N×C×H×W is (N, C, H·W); a tensor without
/// structure is [`Space::flat`]. Any size may be 0: the tensor is empty then, and every op on it does nothing.
#[value]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Space {
    /// N, samples of the batch.
    pub n: usize,
    /// C, channels.
    pub c: usize,
    /// S, positions of one channel of one sample.
    pub s: usize,
    /// The order in memory.
    #[field(default)]
    pub layout: Layout,
}

impl Space {
    /// The most elements a tensor may have: kernels count quads of four in 32 bits, and know the number behind the last.
    pub const MAX_LEN: u64 = (1 << 34) - 4;

    /// A batch, channels first.
    pub fn channels_first(n: usize, c: usize, s: usize) -> Self {
        Self { n, c, s, layout: Layout::ChannelsFirst }
    }

    /// A batch, channels last.
    pub fn channels_last(n: usize, c: usize, s: usize) -> Self {
        Self { n, c, s, layout: Layout::ChannelsLast }
    }

    /// A tensor of `len` elements whose shape does not matter.
    pub fn flat(len: usize) -> Self {
        Self::channels_first(1, 1, len)
    }

    /// N·C·S. Saturates; [`Space::check`] refuses such a space.
    pub fn len(&self) -> usize {
        // Not in the order of the fields: 0 times anything is 0, however large.
        if self.is_empty() { 0 } else { self.n.saturating_mul(self.c).saturating_mul(self.s) }
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.n == 0 || self.c == 0 || self.s == 0
    }

    /// The place in memory of element (n, c, s).
    pub fn offset(&self, n: usize, c: usize, s: usize) -> usize {
        match self.layout {
            Layout::ChannelsFirst => (n * self.c + c) * self.s + s,
            Layout::ChannelsLast => (n * self.s + s) * self.c + c,
        }
    }

    /// Checks that the elements can be counted, and counts them.
    ///
    /// # Errors
    /// Names `space` if there are more than [`Space::MAX_LEN`], or would be with sizes of 0 taken for 1: an empty tensor may
    /// still have a value for each channel.
    pub fn check(&self, op: &'static str) -> Result<u64, Error> {
        // Sizes of 0 count as 1, so that no product of the others overflows either.
        let len = [self.n, self.c, self.s].iter().fold(1, |all: u64, d| all.saturating_mul(*d.max(&1) as u64));
        // A host of 32 bits counts to 2^32 - 1.
        if len > Self::MAX_LEN.min(usize::MAX as u64) {
            let Self { n, c, s, .. } = self;
            return Err(Error::argument(
                op,
                "space",
                format!("has {n} x {c} x {s} elements, must have at most 2^34 - 4: split it"),
            ));
        }
        Ok(self.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_layouts_place_every_element_once() {
        for space in [Space::channels_first(3, 4, 5), Space::channels_last(3, 4, 5)] {
            let mut places: Vec<usize> =
                (0..60).map(|i| (i / 20, i / 5 % 4, i % 5)).map(|(n, c, s)| space.offset(n, c, s)).collect();
            places.sort_unstable();
            assert_eq!(places, (0..60).collect::<Vec<_>>());
        }
        assert_eq!(Space::channels_first(3, 4, 5).offset(1, 2, 3), 33);
        assert_eq!(Space::channels_last(3, 4, 5).offset(1, 2, 3), 34);
    }

    #[test]
    fn sizes_that_overflow_are_an_error_and_no_wrap() {
        let big = Space::channels_first(usize::MAX, 2, 1);
        assert_eq!(big.len(), usize::MAX);
        assert!(matches!(big.check("x"), Err(Error::Argument { op: "x", arg: "space", .. })));
        // Empty, and yet not: a value for each channel, a loop over samples.
        for [n, c, s] in [[usize::MAX, 2, 0], [0, 1 << 34, 2], [1 << 18, 0, 1 << 18]] {
            assert!(Space::channels_first(n, c, s).check("x").is_err());
        }
        assert_eq!(Space::channels_first((1 << 34) - 4, 0, 1).check("x"), Ok(0));
        assert_eq!(Space::flat((1 << 34) - 4).check("x"), Ok((1 << 34) - 4));
        assert!(((1u64 << 34) - 3..=1 << 34).all(|len| Space::flat(len as usize).check("x").is_err()));
        assert_eq!(Space::flat(7).check("x"), Ok(7));
    }
}
