//! Cases and documentation of dropout, forward and backward.
use super::Dropout;
use crate::ops::dropouts::DropoutBackward;
use crate::{
    op::Verify,
    options::{Bits, Key, MaskMode, Scaling, Share},
    types::{DType, Space},
};

const KEY: Key = Key { seed: 0x0123_4567_89ab_cdef, stream: 3, step: 7, first_element: 0 };

fn flat(dtype: DType, len: usize, p: f64) -> Dropout {
    Dropout::new(dtype, Space::flat(len), p, KEY)
}

fn at(first_element: u64) -> Key {
    Key { first_element, ..KEY }
}

/// Not a full product of the fields: each value of each, each path through the kernels for each way of storing (whole quads
/// and ragged ends), and lengths on both sides of quads, mask words, blocks and windows.
fn all() -> Vec<Dropout> {
    use DType::{Bf16, F16, F32};
    let store = |d: Dropout| Dropout { mask: MaskMode::Store, ..d };
    let mut out: Vec<Dropout> = [0, 1, 3, 4, 33, 4095, 4096, 8197].map(|len| flat(F32, len, 0.5)).into();
    out.extend([2, 31, 4100, 40_003].map(|len| flat(F16, len, 0.2)));
    out.extend([5, 32, 40_007].map(|len| flat(Bf16, len, 0.1)));
    out.push(Dropout { key: at(1 << 35), ..flat(F32, 40_001, 0.1) });
    // The ends of p, which need no draw; an odd number of halves.
    for (dtype, len) in [(F32, 4099), (F16, 40_003), (Bf16, 1)] {
        out.extend([flat(dtype, len, 0.0), flat(dtype, len, 1.0), store(flat(dtype, len, 0.0)), store(flat(dtype, len, 1.0))]);
    }
    // p so near to an end that 16 bits cannot tell.
    out.extend([flat(F32, 9, 1e-9), flat(F32, 9, 1.0 - 1e-9)]);
    // Stored masks: last words with all bits, few bits, only those of the incomplete quad.
    out.extend([1, 32, 35, 61, 8192, 40_001].map(|len| store(flat(F32, len, 0.1))));
    out.extend([3, 40_002].map(|len| store(flat(F16, len, 0.5))));
    out.extend([64, 9000].map(|len| store(flat(Bf16, len, 0.5))));
    // Elements that do not follow their Philox calls.
    out.push(Dropout { key: at((1 << 32) - 4099), ..flat(F32, 40_003, 0.5) });
    out.push(store(Dropout { key: at((1 << 40) + 3), ..flat(F32, 2051, 0.5) }));
    out.push(Dropout { key: at(1), ..flat(F16, 64, 0.5) });
    out.push(Dropout { bits: Bits::ThirtyTwo, ..flat(F32, 4101, 1e-3) });
    out.push(store(Dropout { bits: Bits::ThirtyTwo, key: at(6), ..flat(F32, 517, 0.5) }));
    out.push(Dropout { bits: Bits::ThirtyTwo, ..flat(F32, 9, 1e-9) });
    out.push(Dropout { bits: Bits::ThirtyTwo, ..flat(F32, 9, 1.0) });
    for (i, share) in [Share::Element, Share::Channel, Share::Sample].into_iter().enumerate() {
        for (j, space) in [
            Space::channels_first(3, 5, 7),
            Space::channels_last(3, 5, 7),
            Space::channels_last(2, 300, 1),
            Space::channels_last(2, 1, 301),
            Space::channels_first(41, 3, 331),
            Space::channels_last(41, 3, 331),
        ]
        .into_iter()
        .enumerate()
        {
            let key = at((1000 + 8 * i as u64) * (space.c * space.s) as u64);
            let bits = [Bits::Sixteen, Bits::ThirtyTwo][(i + j) % 2];
            let scaling = [Scaling::ScaleAtTest, Scaling::Inverted][j / 2 % 2];
            let d = Dropout { space, share, key, bits, scaling, ..flat(F32, 0, 0.5) };
            out.push(if (i + j) % 3 == 0 { store(d) } else { d });
        }
    }
    // The other subsets of the axes: in both layouts, of short rows and of longer ones than a window of the draw.
    for (i, share) in Share::ALL.into_iter().enumerate().skip(3) {
        for (j, space) in [Space::channels_first(5, 3, 7), Space::channels_last(5, 3, 7), Space::channels_last(3, 29, 91)]
            .into_iter()
            .enumerate()
        {
            let space = if j == 2 && i % 2 == 0 { Space::channels_first(7, 29, 91) } else { space };
            let key = at(((i + j) % 3 * space.c * space.s) as u64);
            let bits = [Bits::Sixteen, Bits::ThirtyTwo][(i + j) % 2];
            let d = Dropout { space, share, key, bits, ..flat([F32, F16, Bf16][(i + j) % 3], 0, 0.5) };
            out.push(if (i + j) % 3 == 1 { store(d) } else { d });
        }
    }
    // One channel, one position.
    out.push(Dropout { space: Space::channels_last(3, 1, 41), share: Share::Position, ..flat(F32, 0, 0.5) });
    out.push(Dropout { space: Space::channels_last(41, 9, 1), share: Share::BatchChannel, ..flat(F32, 0, 0.5) });
    out.push(Dropout { space: Space::channels_last(3, 5, 15), share: Share::Channel, ..flat(Bf16, 0, 0.5) });
    out.push(Dropout { space: Space::channels_first(0, 5, 7), share: Share::Channel, ..flat(F32, 0, 0.5) });
    out
}

#[cfg(feature = "verify")]
fn back(d: Dropout) -> Box<dyn Verify> {
    Box::new(d.backward())
}

impl Dropout {
    #[cfg(feature = "verify")]
    pub(in crate::ops) fn cases() -> Vec<Box<dyn Verify>> {
        let after = |scaling, d: Dropout| Dropout { training: false, scaling, ..d };
        let mut out = all();
        out.push(after(Scaling::Inverted, flat(DType::F16, 4099, 1.0)));
        out.push(after(Scaling::ScaleAtTest, flat(DType::F32, 4099, 0.1)));
        out.push(after(Scaling::ScaleAtTest, flat(DType::Bf16, 31, 1.0)));
        out.push(after(Scaling::ScaleAtTest, flat(DType::Bf16, 31, 0.0)));
        let space = Space::channels_last(3, 5, 7);
        out.push(after(
            Scaling::ScaleAtTest,
            Dropout { space, mask: MaskMode::Store, share: Share::Channel, ..flat(DType::F32, 0, 0.5) },
        ));
        out.into_iter().map(|d| Box::new(d) as Box<dyn Verify>).collect()
    }

    #[cfg(feature = "verify")]
    pub(in crate::ops) fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
        DType::FLOATS.into_iter().map(|dtype| Box::new(flat(dtype, elements, 0.1)) as Box<dyn Verify>).collect()
    }
}

impl DropoutBackward {
    #[cfg(feature = "verify")]
    /// Without a stored mask the kernels are those of the forward pass: a few cases show that they are reached.
    pub(in crate::ops) fn cases() -> Vec<Box<dyn Verify>> {
        let stored = all().into_iter().filter(|d| d.mask == MaskMode::Store);
        let drawn = all().into_iter().filter(|d| d.mask == MaskMode::Recompute && d.space.len() < 5000).step_by(3);
        stored.chain(drawn).map(back).collect()
    }

    #[cfg(feature = "verify")]
    pub(in crate::ops) fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
        DType::FLOATS.into_iter().map(|dtype| back(flat(dtype, elements, 0.1))).collect()
    }
}
