//! Shapes and data of the mixing ops, for the checks and to time.
use crate::{
    op::{Arg, Pattern, Rng, Verify, bench_shapes},
    types::{DType, HostData, Space},
};

#[cfg(feature = "verify")]
/// Shapes (space, width) for the checks: no sample and one, samples of one element, whole quads and not, rows and channels
/// that are whole quads and not, tensors beyond small windows. `make` gets a number that differs from case to case.
pub(crate) fn image_cases(make: impl Fn(usize, DType, Space, usize) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    let shapes = [
        (0, 3, 4, 4),
        (2, 0, 4, 4),
        (1, 1, 1, 1),
        (5, 1, 1, 1),
        (7, 3, 1, 2),
        (5, 3, 4, 4),
        (4, 3, 5, 7),
        (3, 8, 14, 14),
        (6, 4, 6, 8),
        (3, 5, 9, 16),
        (33, 4, 5, 5),
        (6, 3, 64, 64),
        (9, 3, 37, 59),
    ];
    let mut out = Vec::new();
    for (i, (n, c, h, w)) in shapes.into_iter().enumerate() {
        for (k, dtype) in DType::FLOATS.into_iter().enumerate() {
            let long = n * c * h * w > 50_000;
            if long && k == 2 {
                continue;
            }
            let last = (i + k) % 2 == 1;
            let space = if last { Space::channels_last(n, c, h * w) } else { Space::channels_first(n, c, h * w) };
            out.push(make(out.len(), dtype, space, w));
        }
    }
    out
}

#[cfg(feature = "verify")]
/// A batch of ImageNet's images, or of smaller ones: at least 2, as each is mixed with another. `make` gets the type, the space
/// and the width.
pub(crate) fn image_benches(elements: usize, make: impl Fn(DType, Space, usize) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    let ([first, last], width) = bench_shapes::images(elements, [2, 3, 224], 16);
    [(DType::F32, first), (DType::F32, last), (DType::F16, first)].map(|(d, s)| make(d, s, width)).into()
}

pub(crate) fn image_patterns(space: &Space) -> Vec<Pattern> {
    if space.len() > 50_000 {
        return vec![Pattern::Ordinary];
    }
    vec![Pattern::Ordinary, Pattern::Tiny, Pattern::NonFinite]
}

/// Labels stay probabilities, whatever the pattern.
pub(crate) fn image_fill(arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
    let labels = arg.name == "labels";
    rng.fill(arg, if labels { [0.0, 1.0] } else { [-1.0, 1.0] }, if labels { Pattern::Ordinary } else { pattern })
}
