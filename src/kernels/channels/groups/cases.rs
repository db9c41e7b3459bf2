//! Shapes for the checks of group and instance norm.
use crate::{
    op::Verify,
    types::{DType, Space},
};

#[cfg(feature = "verify")]
/// Shapes and numbers of groups: one group and one of each channel, groups of one value, of very many channels, across and within quads,
/// samples and channels enough for reduction levels; lines that fit a workgroup, with whole quads to a channel and
/// not, and lines of whole quads that do not fit. `make` gets a number that differs from case to case.
pub(crate) fn grouped(make: impl Fn(usize, DType, Space, usize) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    let all = [
        ((1, 1, 1), 1),
        ((2, 6, 1), 6),
        ((0, 4, 3), 2),
        ((3, 0, 2), 1),
        ((4, 6, 0), 3),
        ((3, 4, 4), 2),
        ((4, 6, 7), 3),
        ((5, 12, 5), 4),
        ((1, 8, 49), 2),
        ((6, 20, 9), 5),
        ((2, 16, 64), 1),
        ((17, 10, 1), 2),
        ((3, 1024, 1), 1),
        ((2, 1024, 2), 1),
        ((1, 1028, 3), 2),
        ((2, 2, 2501), 1),
        ((130, 6, 4), 3),
        ((2, 9, 300), 3),
        ((3, 5, 16), 1),
        ((67, 3, 20), 3),
        ((65, 8, 9), 2),
        ((43, 6, 260), 3),
        ((2, 600, 4), 2),
        ((2, 4, 3136), 2),
        ((2, 4, 8200), 2),
    ];
    let mut out = Vec::new();
    for ((n, c, s), groups) in all {
        for space in [Space::channels_first(n, c, s), Space::channels_last(n, c, s)] {
            // The same tensor, twice.
            if (c > 1 && s > 1) || space.layout == Default::default() {
                out.push(make(out.len(), DType::FLOATS[(out.len() + n) % 3], space, groups));
                out.push(make(out.len(), DType::FLOATS[(out.len() + n) % 3], space, groups));
            }
        }
    }
    for space in [Space::channels_first(2, 4, 20_001), Space::channels_last(2, 4, 20_002), Space::channels_last(1, 3, 30_001)] {
        out.push(make(out.len(), DType::F32, space, if space.c == 3 { 1 } else { 2 }));
    }
    out
}

#[cfg(feature = "verify")]
/// Shapes of which each channel of a sample has a group of its own.
pub(crate) fn instances(make: impl Fn(usize, DType, Space) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    let all = [
        (1, 1, 2),
        (0, 3, 1),
        (3, 0, 2),
        (4, 3, 0),
        (3, 4, 4),
        (2, 5, 7),
        (3, 12, 49),
        (2, 100, 9),
        (70, 4, 6),
        (2, 2, 2501),
        (3, 256, 2),
        (70, 4, 8),
        (130, 1, 264),
        (2, 3, 2048),
        (2, 2, 8192),
        (1, 3, 16_388),
    ];
    let mut out = Vec::new();
    for (n, c, s) in all {
        for space in [Space::channels_first(n, c, s), Space::channels_last(n, c, s)] {
            out.push(make(out.len(), DType::FLOATS[(out.len() + n) % 3], space));
        }
    }
    for space in [Space::channels_first(1, 2, 20_001), Space::channels_last(1, 2, 30_001), Space::channels_last(2, 8, 4000)] {
        out.push(make(out.len(), DType::F32, space));
    }
    out
}
