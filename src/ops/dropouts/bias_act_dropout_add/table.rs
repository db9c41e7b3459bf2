//! Cases, data and documentation, forward and backward.
use super::BiasActDropoutAdd;
use crate::{
    op::{Arg, Field, Op, Pattern, Rng, bench_shapes},
    options::{Activation, Bits, Key, Share},
    types::{DType, HostData, Rows, Space},
};

pub(in crate::ops) fn patterns() -> Vec<Pattern> {
    vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
}

/// As far as any activation still bends.
pub(in crate::ops) fn domain(arg: &Arg) -> [f64; 2] {
    if arg.name == "x" { [-6.0, 6.0] } else { [-1.0, 1.0] }
}

/// Some inputs where activations have long become straight; the bias is ordinary.
pub(in crate::ops) fn fill(arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
    if arg.name == "bias" {
        return rng.fill(arg, domain(arg), Pattern::Ordinary);
    }
    let values = rng.fill(arg, domain(arg), pattern).to_f64();
    if arg.name != "x" || pattern != Pattern::Ordinary {
        return HostData::from_f64(arg.dtype, values);
    }
    let far = values.into_iter().enumerate().map(|(i, v)| if i % 9 == 4 { 20.0 * v } else { v });
    HostData::from_f64(arg.dtype, far)
}

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

fn forwards(of: Vec<BiasActDropoutAdd>) -> Vec<Box<dyn Op>> {
    of.into_iter().map(|op| Box::new(op) as Box<dyn Op>).collect()
}

fn backwards(of: Vec<BiasActDropoutAdd>) -> Vec<Box<dyn Op>> {
    of.into_iter().map(|op| Box::new(op.backward()) as Box<dyn Op>).collect()
}

pub(in crate::ops) fn forward() -> Vec<Box<dyn Op>> {
    forwards(all())
}

pub(in crate::ops) fn backward() -> Vec<Box<dyn Op>> {
    backwards(all())
}

pub(in crate::ops) fn forward_bench(elements: usize) -> Vec<Box<dyn Op>> {
    forwards(layers(elements))
}

pub(in crate::ops) fn backward_bench(elements: usize) -> Vec<Box<dyn Op>> {
    backwards(layers(elements))
}

const DTYPE: Field = Field { name: "dtype", default: "", about: "storage of the tensors: f32, f16 or bf16; the bias is f32" };
const SPACE: Field = Field { name: "space", default: "", about: "shape: n, c, s and layout (channels_first or channels_last)" };
const P: Field = Field { name: "p", default: "", about: "probability of dropping, 0 to 1; 0 after training" };
const KEY: Field =
    Field { name: "key", default: "", about: "what the mask is drawn from: seed (run), stream (layer), step, first_element" };
const SHARE: Field = Field { name: "share", default: "\"element\"", about: "which elements share a decision, as for dropout" };
const BITS: Field = Field { name: "bits", default: "\"sixteen\"", about: "random bits per decision: sixteen or thirty_two" };
const BIAS: Field = Field { name: "bias", default: "true", about: "whether there is a bias for each channel" };

pub(in crate::ops) const FIELDS: &[Field] = &[
    DTYPE,
    SPACE,
    P,
    KEY,
    SHARE,
    BITS,
    Activation::ACT,
    BIAS,
    Field { name: "residual", default: "true", about: "whether there is a residual" },
];

pub(in crate::ops) const BACKWARD_FIELDS: &[Field] = &[DTYPE, SPACE, P, KEY, SHARE, BITS, Activation::ACT, BIAS];
