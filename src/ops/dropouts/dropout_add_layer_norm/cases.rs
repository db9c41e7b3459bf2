//! Cases and documentation, forward and backward.
use super::DropoutAddLayerNorm;
use crate::ops::dropouts::DropoutAddLayerNormBackward;
use crate::{
    op::{Verify, bench_shapes},
    options::{Bits, Key, RowNorm, Share, WeightForm},
    types::{DType, Rows},
};

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
    let Rows { rows, cols } = bench_shapes::rows(elements, 1024);
    let of = |dtype, norm| DropoutAddLayerNorm { norm, ..DropoutAddLayerNorm::new(dtype, rows, cols, 0.1, Key::default()) };
    vec![of(DType::F32, RowNorm::Layer), of(DType::Bf16, RowNorm::Layer), of(DType::Bf16, RowNorm::Rms)]
}

#[cfg(feature = "verify")]
fn forwards(of: Vec<DropoutAddLayerNorm>) -> Vec<Box<dyn Verify>> {
    of.into_iter().map(|op| Box::new(op) as Box<dyn Verify>).collect()
}

#[cfg(feature = "verify")]
fn backwards(of: Vec<DropoutAddLayerNorm>) -> Vec<Box<dyn Verify>> {
    of.into_iter().enumerate().map(|(i, op)| Box::new(op.backward(i % 2 == 0)) as Box<dyn Verify>).collect()
}

impl DropoutAddLayerNorm {
    #[cfg(feature = "verify")]
    pub(in crate::ops) fn cases() -> Vec<Box<dyn Verify>> {
        forwards(all())
    }

    #[cfg(feature = "verify")]
    pub(in crate::ops) fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
        forwards(layers(elements))
    }
}

impl DropoutAddLayerNormBackward {
    #[cfg(feature = "verify")]
    pub(in crate::ops) fn cases() -> Vec<Box<dyn Verify>> {
        backwards(all())
    }

    #[cfg(feature = "verify")]
    pub(in crate::ops) fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
        backwards(layers(elements))
    }
}
