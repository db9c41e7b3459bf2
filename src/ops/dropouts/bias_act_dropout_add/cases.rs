//! Cases, data and documentation, forward and backward.
use super::BiasActDropoutAdd;
use crate::ops::dropouts::BiasActDropoutAddBackward;
use crate::{
    op::{Verify, bench_shapes},
    options::{Activation, Bits, Key, Share},
    types::{DType, Rows, Space},
};

fn all() -> Vec<BiasActDropoutAdd> {
    use DType::{Bf16, F16, F32};
    let acts = [
        Activation::None,
        Activation::Relu,
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::Silu,
        Activation::LeakyRelu { slope: 0.01 },
    ];
    let (first, last) = (Space::channels_first, Space::channels_last);
    let shapes = [
        (F32, first(3, 5, 7)),
        (F32, last(3, 5, 7)),
        (F32, last(2, 300, 1)),
        (F32, first(41, 3, 331)),
        (F32, last(9, 4, 64)),
        (F32, first(2, 4, 64)),
        (F16, last(3, 5, 15)),
        (F16, first(5, 7, 36)),
        (Bf16, last(30, 64, 1)),
        (F32, Space::flat(4099)),
        (Bf16, first(2, 3, 5)),
        (F32, first(0, 3, 4)),
        (F16, last(130, 77, 3)),
        (F32, last(1, 1, 1)),
    ];
    let key = Key { seed: 0x0123_4567_89ab_cdef, stream: 3, step: 7, first_element: 0 };
    let mut out: Vec<_> = shapes
        .into_iter()
        .enumerate()
        .map(|(i, (dtype, space))| BiasActDropoutAdd {
            act: acts[(i + i / 6) % 6],
            bias: i % 5 != 4,
            residual: i % 3 != 1,
            bits: if i % 4 == 3 { Bits::ThirtyTwo } else { Bits::Sixteen },
            share: [Share::Element, Share::Element, Share::Sample, Share::Channel][i % 4],
            ..BiasActDropoutAdd::new(dtype, space, [0.1, 0.5, 0.3][i % 3], key)
        })
        .collect();
    // Every activation without a mask in the way; the ends of p.
    for act in acts {
        out.push(BiasActDropoutAdd { act, residual: false, ..BiasActDropoutAdd::new(F32, first(3, 2, 100), 0.0, key) });
    }
    let ends =
        |residual, dtype| BiasActDropoutAdd { residual, act: acts[1], ..BiasActDropoutAdd::new(dtype, last(7, 3, 3), 1.0, key) };
    out.extend([ends(true, F16), ends(false, F32)]);
    out
}

fn layers(elements: usize) -> Vec<BiasActDropoutAdd> {
    let (Rows { rows, cols }, key) = (bench_shapes::rows(elements, 1024), Key::default());
    let mlp = Space::channels_last(rows, cols, 1);
    let of = |dtype, act| BiasActDropoutAdd { act, ..BiasActDropoutAdd::new(dtype, mlp, 0.1, key) };
    vec![
        of(DType::F32, Activation::None),
        of(DType::F32, Activation::Gelu),
        of(DType::F16, Activation::GeluTanh),
        of(DType::Bf16, Activation::Relu),
    ]
}

#[cfg(feature = "verify")]
fn forwards(of: Vec<BiasActDropoutAdd>) -> Vec<Box<dyn Verify>> {
    of.into_iter().map(|op| Box::new(op) as Box<dyn Verify>).collect()
}

#[cfg(feature = "verify")]
fn backwards(of: Vec<BiasActDropoutAdd>) -> Vec<Box<dyn Verify>> {
    of.into_iter().map(|op| Box::new(op.backward()) as Box<dyn Verify>).collect()
}

impl BiasActDropoutAdd {
    #[cfg(feature = "verify")]
    pub(in crate::ops) fn cases() -> Vec<Box<dyn Verify>> {
        forwards(all())
    }

    #[cfg(feature = "verify")]
    pub(in crate::ops) fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
        forwards(layers(elements))
    }
}

impl BiasActDropoutAddBackward {
    #[cfg(feature = "verify")]
    pub(in crate::ops) fn cases() -> Vec<Box<dyn Verify>> {
        backwards(all())
    }

    #[cfg(feature = "verify")]
    pub(in crate::ops) fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
        backwards(layers(elements))
    }
}
