//! Cases and documentation, forward and backward.
use super::DropoutAddLayerNorm;
use crate::{Bits, DType, Key, Op, Pattern, RowNorm, Share, WeightForm, ops::Field, rows::Rows, sizes};

pub(in crate::ops) fn patterns(dtype: DType) -> Vec<Pattern> {
    if dtype != DType::F32 {
        return vec![Pattern::Ordinary, Pattern::NonFinite];
    }
    vec![Pattern::Ordinary, Pattern::Offset, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
}

fn all() -> Vec<DropoutAddLayerNorm> {
    use DType::{Bf16, F16, F32};
    let shapes = [
        (F32, 1, 1),
        (F32, 17, 8),
        (F32, 4, 7),
        (F16, 9, 49),
        (Bf16, 33, 64),
        (F32, 300, 12),
        (F16, 0, 4),
        (F32, 2, 2501),
        (Bf16, 4, 7),
        (F32, 3, 2304),
        (F16, 5, 36),
        (F32, 3, 0),
    ];
    let key = Key { seed: 0x0123_4567_89ab_cdef, stream: 3, step: 7, first_element: 0 };
    let mut out: Vec<_> = shapes
        .into_iter()
        .enumerate()
        .map(|(i, (dtype, rows, cols))| {
            let norm = if i % 3 == 1 { RowNorm::Rms } else { RowNorm::Layer };
            let one_plus = norm == RowNorm::Rms && i % 2 == 0;
            DropoutAddLayerNorm {
                norm,
                weight: i % 4 != 1,
                weight_form: if one_plus { WeightForm::OnePlus } else { WeightForm::Plain },
                bias: i % 5 < 3,
                residual: i % 6 != 2,
                bits: if i % 4 == 3 { Bits::ThirtyTwo } else { Bits::Sixteen },
                share: if i % 5 == 4 { Share::Sample } else { Share::Element },
                eps: 1e-3,
                ..DropoutAddLayerNorm::new(dtype, rows, cols, [0.1, 0.5, 0.3][i % 3], key)
            }
        })
        .collect();
    // The ends of p.
    out.push(DropoutAddLayerNorm::new(F32, 5, 11, 0.0, key));
    out.push(DropoutAddLayerNorm::new(F16, 5, 11, 1.0, key));
    out.push(DropoutAddLayerNorm { residual: false, norm: RowNorm::Rms, ..DropoutAddLayerNorm::new(F32, 5, 12, 1.0, key) });
    out
}

fn layers(elements: usize) -> Vec<DropoutAddLayerNorm> {
    let Rows { rows, cols } = sizes::rows(elements, 1024);
    let of = |dtype, norm| DropoutAddLayerNorm { norm, ..DropoutAddLayerNorm::new(dtype, rows, cols, 0.1, Key::default()) };
    vec![of(DType::F32, RowNorm::Layer), of(DType::Bf16, RowNorm::Layer), of(DType::Bf16, RowNorm::Rms)]
}

fn forwards(of: Vec<DropoutAddLayerNorm>) -> Vec<Box<dyn Op>> {
    of.into_iter().map(|op| Box::new(op) as Box<dyn Op>).collect()
}

fn backwards(of: Vec<DropoutAddLayerNorm>) -> Vec<Box<dyn Op>> {
    of.into_iter().enumerate().map(|(i, op)| Box::new(op.backward(i % 2 == 0)) as Box<dyn Op>).collect()
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

const DTYPE: Field = Field { name: "dtype", default: "", about: "storage of the tensors: f32, f16 or bf16; vectors are f32" };
const ROWS: Field = Field { name: "rows", default: "", about: "rows" };
const COLS: Field = Field { name: "cols", default: "", about: "values of a row; rows·cols is at most 2^34" };
const P: Field = Field { name: "p", default: "", about: "probability of dropping, 0 to 1; 0 after training" };
const KEY: Field =
    Field { name: "key", default: "", about: "what the mask is drawn from: seed (run), stream (layer), step, first_element" };
const SHARE: Field = Field { name: "share", default: "\"element\"", about: "which elements share a decision; a row is a sample" };
const BITS: Field = Field { name: "bits", default: "\"sixteen\"", about: "random bits per decision: sixteen or thirty_two" };
const NORM: Field = Field { name: "norm", default: "\"layer\"", about: "layer (mean and variance) or rms (root mean square)" };
const WEIGHT: Field = Field { name: "weight", default: "true", about: "whether there is a weight for each column" };
const FORM: Field =
    Field { name: "weight_form", default: "\"plain\"", about: "what multiplies: plain (w), or with rms one_plus (1 + w)" };
const BIAS: Field = Field { name: "bias", default: "true", about: "with layer, whether there is a bias for each column" };

pub(in crate::ops) const FIELDS: &[Field] = &[
    DTYPE,
    ROWS,
    COLS,
    P,
    KEY,
    SHARE,
    BITS,
    Field { name: "residual", default: "true", about: "whether there is a residual" },
    NORM,
    Field { name: "eps", default: "1e-5", about: "ε, inside the root, at least 0" },
    WEIGHT,
    FORM,
    BIAS,
];

pub(in crate::ops) const BACKWARD_FIELDS: &[Field] = &[
    DTYPE,
    ROWS,
    COLS,
    P,
    KEY,
    SHARE,
    BITS,
    NORM,
    WEIGHT,
    FORM,
    BIAS,
    Field { name: "dz", default: "false", about: "whether z has other readers, whose gradient is the argument dz" },
];
