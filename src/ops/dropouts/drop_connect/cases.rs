//! Cases of DropConnect, forward and backward.
use super::DropConnect;
use crate::{
    op::{Verify, bench_shapes},
    ops::DropConnectBackward,
    options::{Bits, Key, Scaling},
    types::{DType, Rows},
};

const KEY: Key = Key { seed: 0x0123_4567_89ab_cdef, stream: 5, step: 11, first_element: 0 };

fn matrix(dtype: DType, sizes: [usize; 2], p: f64) -> DropConnect {
    DropConnect::new(dtype, sizes, p, KEY)
}

fn with_bias(d: DropConnect) -> DropConnect {
    DropConnect { bias: true, ..d }
}

/// The masks are dropout's, with cases of their own: here are each storage type with whole quads, ragged ends and more than a
/// window, with a bias and without, the ends of p, and parts of a larger matrix.
fn all() -> Vec<DropConnect> {
    use DType::{Bf16, F16, F32};
    let mut out = Vec::new();
    for (dtype, sizes) in [(F32, [33, 129]), (F16, [131, 305]), (Bf16, [64, 128]), (F32, [3, 7]), (F16, [1, 3]), (Bf16, [5, 1])] {
        out.push(with_bias(matrix(dtype, sizes, 0.5)));
        out.push(matrix(dtype, sizes, 0.1));
    }
    for sizes in [[0, 5], [5, 0], [0, 0]] {
        out.push(with_bias(matrix(F32, sizes, 0.5)));
    }
    for p in [0.0, 1.0, 1e-9, 1.0 - 1e-9] {
        out.push(with_bias(matrix(F16, [7, 5], p)));
        out.push(DropConnect { scaling: Scaling::ScaleAtTest, ..matrix(F32, [9, 3], p) });
    }
    let part = |first_element, d: DropConnect| DropConnect { key: Key { first_element, ..KEY }, ..d };
    out.push(part(21, with_bias(matrix(F32, [9, 7], 0.5))));
    out.push(part(1 << 34, with_bias(matrix(Bf16, [70, 8], 0.3))));
    out.push(part((1 << 40) + 3, matrix(F32, [9, 7], 0.5)));
    out.push(with_bias(DropConnect { bits: Bits::ThirtyTwo, ..matrix(F32, [40, 103], 1e-3) }));
    out.push(with_bias(DropConnect { scaling: Scaling::ScaleAtTest, ..matrix(F16, [35, 41], 0.5) }));
    out
}

#[cfg(feature = "verify")]
fn benches(elements: usize, op: impl Fn(DropConnect) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    let Rows { rows, cols } = bench_shapes::matrix(elements, [1, 1]);
    DType::FLOATS.into_iter().map(|dtype| op(matrix(dtype, [rows, cols], 0.5))).collect()
}

impl DropConnect {
    #[cfg(feature = "verify")]
    pub(in crate::ops) fn cases() -> Vec<Box<dyn Verify>> {
        let after = |scaling, p| with_bias(DropConnect { training: false, scaling, ..matrix(DType::F16, [5, 7], p) });
        let mut out = all();
        out.extend([after(Scaling::Inverted, 0.5), after(Scaling::Inverted, 1.0), after(Scaling::ScaleAtTest, 0.1)]);
        out.extend([after(Scaling::ScaleAtTest, 1.0), after(Scaling::ScaleAtTest, 0.0)]);
        out.into_iter().map(|d| Box::new(d) as Box<dyn Verify>).collect()
    }

    #[cfg(feature = "verify")]
    pub(in crate::ops) fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
        benches(elements, |d| Box::new(d))
    }
}

impl DropConnectBackward {
    #[cfg(feature = "verify")]
    /// Accumulating has a kernel of its own; writing anew has the forward pass' kernel, so a few cases show that it is reached.
    pub(in crate::ops) fn cases() -> Vec<Box<dyn Verify>> {
        let added = all().into_iter().map(|d| d.backward());
        let written = all().into_iter().step_by(3).map(|d| DropConnectBackward { accumulate: false, ..d.backward() });
        added.chain(written).map(|d| Box::new(d) as Box<dyn Verify>).collect()
    }

    #[cfg(feature = "verify")]
    pub(in crate::ops) fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
        benches(elements, |d| Box::new(d.backward()))
    }
}
