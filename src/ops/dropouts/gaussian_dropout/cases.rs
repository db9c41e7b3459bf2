//! Cases of Gaussian dropout, forward and backward, and of Gaussian noise.
use super::GaussianDropout;
use crate::ops::dropouts::GaussianDropoutBackward;
use crate::{
    op::Verify,
    ops::GaussianNoise,
    options::{Key, Share},
    types::{DType, Space},
};

const KEY: Key = Key { seed: 0x0123_4567_89ab_cdef, stream: 5, step: 11, first_element: 0 };

fn flat(dtype: DType, len: usize, p: f64) -> GaussianDropout {
    GaussianDropout::new(dtype, Space::flat(len), p, KEY)
}

/// Each storage type with whole quads and ragged ends and more than a window; each place of the first element in a Philox
/// call; every way of sharing in both layouts; rows and periods that end within a quad.
fn all() -> Vec<GaussianDropout> {
    use DType::{Bf16, F16, F32};
    let mut out: Vec<GaussianDropout> = [0, 1, 3, 4, 33, 4096, 8197].map(|len| flat(F32, len, 0.5)).into();
    out.extend([flat(F16, 40_003, 0.2), flat(Bf16, 8198, 0.1), flat(Bf16, 5, 0.9), flat(F32, 40_001, 1e-3)]);
    // No draw, though an odd number of halves.
    out.extend([(F32, 67), (F16, 35)].map(|(dtype, len)| flat(dtype, len, 0.0)));
    for first in [1, 2, 3, (1 << 34) - 5, (1 << 40) + 4] {
        out.push(GaussianDropout { key: Key { first_element: first, ..KEY }, ..flat(F32, 43, 0.5) });
    }
    for (i, share) in Share::ALL.into_iter().enumerate() {
        for (j, space) in [Space::channels_first(5, 3, 7), Space::channels_last(5, 3, 7), Space::channels_last(3, 29, 91)]
            .into_iter()
            .enumerate()
        {
            let space = if j == 2 && i % 2 == 1 { Space::channels_first(3, 29, 91) } else { space };
            let key = Key { first_element: ((i + j) % 3 * space.c * space.s) as u64, ..KEY };
            out.push(GaussianDropout { space, share, key, ..flat([F32, F16, Bf16][(i + j) % 3], 0, 0.4) });
        }
    }
    out.push(GaussianDropout { space: Space::channels_last(3, 1, 41), share: Share::Position, ..flat(F32, 0, 0.5) });
    out.push(GaussianDropout { space: Space::channels_first(0, 5, 7), share: Share::Channel, ..flat(F32, 0, 0.5) });
    out
}

#[cfg(feature = "verify")]
fn benches(elements: usize, op: impl Fn(DType, Space) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    DType::FLOATS.into_iter().map(|dtype| op(dtype, Space::flat(elements))).collect()
}

impl GaussianDropout {
    #[cfg(feature = "verify")]
    pub(in crate::ops) fn cases() -> Vec<Box<dyn Verify>> {
        let after = GaussianDropout { training: false, ..flat(DType::F16, 35, 0.5) };
        all().into_iter().chain([after]).map(|d| Box::new(d) as Box<dyn Verify>).collect()
    }

    #[cfg(feature = "verify")]
    pub(in crate::ops) fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
        benches(elements, |dtype, space| Box::new(GaussianDropout::new(dtype, space, 0.1, KEY)))
    }
}

impl GaussianDropoutBackward {
    #[cfg(feature = "verify")]
    /// The map is that of the forward pass: some cases show that it is reached.
    pub(in crate::ops) fn cases() -> Vec<Box<dyn Verify>> {
        all().into_iter().filter(|d| d.space.len() < 5000).step_by(2).map(|d| Box::new(d.backward()) as Box<dyn Verify>).collect()
    }

    #[cfg(feature = "verify")]
    pub(in crate::ops) fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
        benches(elements, |dtype, space| Box::new(GaussianDropout::new(dtype, space, 0.1, KEY).backward()))
    }
}

impl GaussianNoise {
    #[cfg(feature = "verify")]
    pub(in crate::ops) fn cases() -> Vec<Box<dyn Verify>> {
        let one = |(i, d): (usize, GaussianDropout)| {
            let GaussianDropout { dtype, space, p, key, share, .. } = d;
            let deviation = if p == 0.0 { 0.0 } else { [0.1, 1.0, 3.5][i % 3] };
            Box::new(GaussianNoise { dtype, space, deviation, key, share, training: i % 10 != 9 }) as Box<dyn Verify>
        };
        all().into_iter().enumerate().map(one).collect()
    }

    #[cfg(feature = "verify")]
    pub(in crate::ops) fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
        benches(elements, |dtype, space| Box::new(GaussianNoise::new(dtype, space, 0.1, KEY)))
    }
}
