//! Cases of zoneout, forward and backward.
use super::Zoneout;
use crate::ops::dropouts::ZoneoutBackward;
use crate::{
    op::Verify,
    options::{Bits, Key, MaskMode, Share},
    types::{DType, Space},
};

const KEY: Key = Key { seed: 0x0123_4567_89ab_cdef, stream: 5, step: 11, first_element: 0 };

fn flat(dtype: DType, len: usize, p: f64) -> Zoneout {
    Zoneout::new(dtype, Space::flat(len), p, KEY)
}

/// The masks are dropout's, with cases of their own: here are each storage type with whole quads and ragged ends, the ends
/// of p, both numbers of bits, stored masks, training and its end, and a few ways of sharing.
fn all() -> Vec<Zoneout> {
    use DType::{Bf16, F16, F32};
    let store = |d: Zoneout| Zoneout { mask: MaskMode::Store, ..d };
    let after = |d: Zoneout| Zoneout { training: false, ..d };
    let mut out = Vec::new();
    for (dtype, len) in [(F32, 8197), (F16, 40_003), (Bf16, 8198)] {
        out.push(flat(dtype, len, 0.1));
        out.push(store(flat(dtype, len % 4096 + 2, 0.5)));
        out.push(after(flat(dtype, 4099, 0.2)));
    }
    out.extend([0, 1, 3, 4, 33].map(|len| flat(F32, len, 0.5)));
    for (dtype, len) in [(F32, 67), (F16, 35)] {
        out.extend([0.0, 1.0].map(|p| store(flat(dtype, len, p))));
        out.extend([0.0, 1.0].map(|p| after(store(flat(dtype, len, p)))));
        out.extend([1e-9, 1.0 - 1e-9].map(|p| flat(dtype, len, p)));
    }
    out.push(Zoneout { bits: Bits::ThirtyTwo, ..flat(F32, 517, 0.999) });
    out.push(after(Zoneout { bits: Bits::ThirtyTwo, ..flat(F32, 517, 1e-9) }));
    for (i, share) in [Share::Channel, Share::BatchElement].into_iter().enumerate() {
        for space in [Space::channels_first(3, 5, 7), Space::channels_last(3, 5, 7)] {
            let d = Zoneout { space, share, ..flat([Bf16, F32][i], 0, 0.3) };
            out.push(if i == 1 { store(d) } else { d });
        }
    }
    out
}

impl Zoneout {
    #[cfg(feature = "verify")]
    pub(in crate::ops) fn cases() -> Vec<Box<dyn Verify>> {
        all().into_iter().map(|d| Box::new(d) as Box<dyn Verify>).collect()
    }

    #[cfg(feature = "verify")]
    pub(in crate::ops) fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
        DType::FLOATS.into_iter().map(|dtype| Box::new(flat(dtype, elements, 0.1)) as Box<dyn Verify>).collect()
    }
}

impl ZoneoutBackward {
    #[cfg(feature = "verify")]
    pub(in crate::ops) fn cases() -> Vec<Box<dyn Verify>> {
        all().into_iter().filter(|d| d.space.len() < 9000).map(|d| Box::new(d.backward()) as Box<dyn Verify>).collect()
    }

    #[cfg(feature = "verify")]
    pub(in crate::ops) fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
        DType::FLOATS.into_iter().map(|dtype| Box::new(flat(dtype, elements, 0.1).backward()) as Box<dyn Verify>).collect()
    }
}
