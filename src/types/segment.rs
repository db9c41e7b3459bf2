//! One tensor among many in a buffer.
use ridgepole_derive::value;
use serde::{Deserialize, Serialize};

/// One tensor of an arena.
///
/// Elements between tensors keep their values and change no result. Where a tensor ends within a quad of four, the kernels
/// read the rest of that quad and write it back, so a NaN there may lose its payload and nothing else may use it meanwhile.
/// A single tensor is an arena of one segment: [`Segment::one`].
#[value]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// The tensor's first element in the arena.
    #[field(multiple_of = 4)]
    pub start: usize,
    /// Its number of elements; 0 is allowed.
    pub len: usize,
    /// Which of the op's parameter groups it belongs to.
    #[field(default)]
    pub group: usize,
}

impl Segment {
    /// A tensor of `len` elements that has a buffer for itself.
    pub fn one(len: usize) -> Vec<Self> {
        vec![Self { start: 0, len, group: 0 }]
    }

    /// Tensors of these lengths one behind the other, each at a multiple of `align` elements (itself a multiple of 4).
    ///
    /// Lengths that no memory holds saturate; an op refuses such a tensor.
    ///
    /// With `align` = 128, each tensor of f32, f16 or bf16 can also be bound by itself on every device.
    pub fn pack(lens: &[usize], align: usize) -> Vec<Self> {
        let mut start: usize = 0;
        lens.iter()
            .map(|&len| {
                let here = start.checked_next_multiple_of(align.max(4)).unwrap_or(usize::MAX);
                start = here.saturating_add(len);
                Self { start: here, len, group: 0 }
            })
            .collect()
    }

    /// Elements that an arena with these segments needs: the end of the last one.
    pub fn arena_len(segments: &[Self]) -> usize {
        segments.iter().map(|s| s.start.saturating_add(s.len)).max().unwrap_or(0)
    }
}
