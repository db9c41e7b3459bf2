//! Cases of alpha dropout, forward and backward.
use super::AlphaDropout;
use crate::ops::dropouts::AlphaDropoutBackward;
use crate::{
    op::Verify,
    options::{Bits, Key, MaskMode, Share},
    types::{DType, Space},
};

const KEY: Key = Key { seed: 0x0123_4567_89ab_cdef, stream: 4, step: 9, first_element: 0 };

fn flat(dtype: DType, len: usize, p: f64) -> AlphaDropout {
    AlphaDropout::new(dtype, Space::flat(len), p, KEY)
}

/// The masks are dropout's, with cases of their own: here are each storage type with whole quads and ragged ends, the ends
/// of p, both numbers of bits, stored masks, and a few ways of sharing.
fn all() -> Vec<AlphaDropout> {
    use DType::{Bf16, F16, F32};
    let store = |d: AlphaDropout| AlphaDropout { mask: MaskMode::Store, ..d };
    let mut out = Vec::new();
    for (dtype, len) in [(F32, 8197), (F16, 40_003), (Bf16, 8198)] {
        out.push(flat(dtype, len, 0.1));
        out.push(store(flat(dtype, len % 4096 + 2, 0.5)));
    }
    out.extend([0, 1, 3, 4, 33].map(|len| flat(F32, len, 0.5)));
    for (dtype, len) in [(F32, 67), (F16, 35)] {
        out.extend([0.0, 1.0].map(|p| store(flat(dtype, len, p))));
        out.extend([1e-9, 1.0 - 1e-9].map(|p| flat(dtype, len, p)));
    }
    out.push(AlphaDropout { bits: Bits::ThirtyTwo, ..flat(F32, 517, 0.999) });
    for (i, share) in [Share::Channel, Share::Sample, Share::BatchElement].into_iter().enumerate() {
        for space in [Space::channels_first(3, 5, 7), Space::channels_last(3, 5, 7)] {
            let d = AlphaDropout { space, share, ..flat([Bf16, F32, F16][i], 0, 0.3) };
            out.push(if i == 1 { store(d) } else { d });
        }
    }
    out
}

impl AlphaDropout {
    #[cfg(feature = "verify")]
    pub(in crate::ops) fn cases() -> Vec<Box<dyn Verify>> {
        let after = AlphaDropout { training: false, ..flat(DType::F16, 35, 0.5) };
        all().into_iter().chain([after]).map(|d| Box::new(d) as Box<dyn Verify>).collect()
    }

    #[cfg(feature = "verify")]
    pub(in crate::ops) fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
        DType::FLOATS.into_iter().map(|dtype| Box::new(flat(dtype, elements, 0.1)) as Box<dyn Verify>).collect()
    }
}

impl AlphaDropoutBackward {
    #[cfg(feature = "verify")]
    pub(in crate::ops) fn cases() -> Vec<Box<dyn Verify>> {
        all().into_iter().filter(|d| d.space.len() < 9000).map(|d| Box::new(d.backward()) as Box<dyn Verify>).collect()
    }

    #[cfg(feature = "verify")]
    pub(in crate::ops) fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
        DType::FLOATS.into_iter().map(|dtype| Box::new(flat(dtype, elements, 0.1).backward()) as Box<dyn Verify>).collect()
    }
}
