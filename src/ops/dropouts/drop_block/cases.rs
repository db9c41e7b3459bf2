//! Cases of DropBlock, forward and backward.
use super::DropBlock;
use crate::ops::dropouts::DropBlockBackward;
use crate::{
    op::{Verify, bench_shapes},
    options::{Key, MaskMode, Share},
    types::{DType, Space},
};

const KEY: Key = Key { seed: 0x0123_4567_89ab_cdef, stream: 5, step: 11, first_element: 0 };

/// Images of h × w in both layouts, in turn.
fn images(i: usize, [n, c, h, w]: [usize; 4]) -> Space {
    if i.is_multiple_of(2) { Space::channels_first(n, c, h * w) } else { Space::channels_last(n, c, h * w) }
}

/// Rows shorter and longer than a word of the mask, at every place in it; blocks of one, of even sides, of the whole image and
/// of 32; samples and channels that share; more words than a workgroup has; parts of a batch whose decisions do not begin with
/// a Philox call; images without a quad.
fn all() -> Vec<DropBlock> {
    let sizes: [([usize; 4], usize); 13] = [
        ([2, 3, 7, 7], 3),
        ([3, 5, 14, 14], 7),
        ([2, 2, 5, 33], 2),
        ([1, 3, 40, 37], 32),
        ([2, 1, 9, 64], 5),
        ([3, 4, 1, 1], 1),
        ([5, 3, 3, 1], 1),
        ([1, 1, 4, 4], 4),
        ([2, 2, 6, 131], 6),
        ([4, 9, 16, 25], 5),
        ([1, 2, 101, 203], 11),
        ([8, 16, 28, 28], 7),
        ([2, 3, 31, 2], 2),
    ];
    let shares = [Share::Element, Share::Position, Share::BatchElement, Share::BatchPosition];
    let mut out = Vec::new();
    for (i, (shape, block)) in sizes.into_iter().enumerate() {
        for j in 0..2 {
            let [_, c, h, w] = shape;
            let (k, space) = (out.len(), images(i + j, shape));
            let key = Key { first_element: (i % 3 * c * h * w) as u64, ..KEY };
            let mask = if (i + i / 4 + j) % 2 == 0 { MaskMode::Store } else { MaskMode::Recompute };
            let p = [0.1, 0.3, 0.6, 1.0][k % 4];
            let share = shares[if j == 0 { 0 } else { i % 4 }];
            let dtype = DType::FLOATS[k % 3];
            out.push(DropBlock { share, mask, ..DropBlock::new(dtype, space, w, block, p, key) });
        }
    }
    let store = |d: DropBlock| DropBlock { mask: MaskMode::Store, ..d };
    let small = |dtype, p, block| DropBlock::new(dtype, Space::channels_first(1, 3, 35), 5, block, p, KEY);
    // The ends of p, which need no draw; those that 32 bits cannot tell from them.
    out.extend([store(small(DType::F16, 0.0, 3)), small(DType::F32, 1e-12, 2), store(small(DType::F32, 1.0, 1))]);
    // Squares of the whole image with p = 1; few elements, which a draw drops all.
    out.push(store(DropBlock::new(DType::Bf16, Space::channels_last(3, 3, 25), 5, 5, 1.0, KEY)));
    out.push(store(DropBlock::new(DType::F32, Space::channels_first(1, 1, 4), 2, 1, 0.999, KEY)));
    out.push(store(DropBlock::new(DType::F32, Space::channels_first(0, 3, 35), 5, 3, 0.5, KEY)));
    out.push(DropBlock::new(DType::F32, Space::channels_first(2, 3, 0), 1, 3, 0.5, KEY));
    let far = Key { first_element: (1 << 33) * 105, ..KEY };
    out.push(DropBlock { key: far, ..small(DType::F32, 0.4, 2) });
    out
}

#[cfg(feature = "verify")]
/// A layer of the paper's residual network. Its blocks of 7 want images of 8 by 8 at least.
fn benches(elements: usize, op: impl Fn(DropBlock) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    let ([space, _], width) = bench_shapes::images(elements, [1, 256, 28], 64);
    DType::FLOATS.into_iter().map(|dtype| op(DropBlock::new(dtype, space, width, 7, 0.1, KEY))).collect()
}

impl DropBlock {
    #[cfg(feature = "verify")]
    pub(in crate::ops) fn cases() -> Vec<Box<dyn Verify>> {
        let mut out = all();
        out.push(DropBlock { training: false, ..out[1].clone() });
        out.into_iter().map(|d| Box::new(d) as Box<dyn Verify>).collect()
    }

    #[cfg(feature = "verify")]
    pub(in crate::ops) fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
        benches(elements, |d| Box::new(d))
    }
}

impl DropBlockBackward {
    #[cfg(feature = "verify")]
    pub(in crate::ops) fn cases() -> Vec<Box<dyn Verify>> {
        all().into_iter().map(|d| Box::new(d.backward()) as Box<dyn Verify>).collect()
    }

    #[cfg(feature = "verify")]
    pub(in crate::ops) fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
        benches(elements, |d| Box::new(DropBlock { mask: MaskMode::Store, ..d }.backward()))
    }
}
