//! Losses: shapes, scalars, and terms that exclude one another.
use crate::{op, refused};
use ridgepole::{DType, HuberForm, Targets, ops::*};

fn rows() -> CrossEntropy {
    CrossEntropy::new(DType::F32, 3, 4)
}

#[test]
fn shapes_and_types_of_logits() {
    refused(&[
        (op(CrossEntropy::new(DType::U32, 3, 4)), "cross_entropy: `dtype` is U32, must be f32, f16 or bf16"),
        (op(CrossEntropy::new(DType::F32, 3, 0)), "cross_entropy: `classes` is 0, must be in 1..=2^20"),
        (op(CrossEntropy::new(DType::F32, 3, (1 << 20) + 1)), "cross_entropy: `classes` is 1048577, must be in 1..=2^20"),
        (
            op(CrossEntropy::new(DType::F16, 1 << 32, 1)),
            "cross_entropy: `rows` is 4294967296, with 1 classes: must be below 2^32, and at most 2^34 - 4 logits in all: split it",
        ),
        (
            op(CrossEntropy::new(DType::F16, 1 << 20, 1 << 15)),
            "cross_entropy: `rows` is 1048576, with 32768 classes: must be below 2^32, and at most 2^34 - 4 logits in all: split it",
        ),
        (
            op(CrossEntropy::new(DType::F32, 3, 1_048_575)),
            "cross_entropy: not possible on this device: rows of 1048575 classes take loops of 8232 trips, at most 8192 are safe: pad them to a multiple of 4",
        ),
    ]);
}

#[test]
fn terms_of_cross_entropy_have_ranges() {
    refused(&[
        (
            op(CrossEntropy { label_smoothing: 1.5, ..rows() }),
            "cross_entropy: `label_smoothing` is 1.5, must be finite in f32 and in 0..=1",
        ),
        (op(CrossEntropy { z_loss: -1.0, ..rows() }), "cross_entropy: `z_loss` is -1, must be finite in f32 and at least 0"),
        (
            op(CrossEntropy { confidence_penalty: f64::NAN, ..rows() }),
            "cross_entropy: `confidence_penalty` is NaN, must be finite in f32 and at least 0",
        ),
        (
            op(CrossEntropy { focal_gamma: -2.0, ..rows() }),
            "cross_entropy: `focal_gamma` is -2, must be finite in f32 and at least 0",
        ),
        (op(CrossEntropy { grad_scale: f64::INFINITY, ..rows() }), "cross_entropy: `grad_scale` is inf, must be finite in f32"),
    ]);
}

#[test]
fn terms_of_cross_entropy_that_exclude_one_another() {
    let soft = CrossEntropy { target: Targets::Probabilities, ..rows() };
    refused(&[
        (
            op(CrossEntropy { ignore_index: Some(7), ..soft.clone() }),
            "cross_entropy: `ignore_index` is 7, must be absent where targets are probabilities: give such a row zeros",
        ),
        (
            op(CrossEntropy { focal_gamma: 2.0, ..soft }),
            "cross_entropy: `focal_gamma` is 2, must be 0 where targets are probabilities: it is defined for a class",
        ),
        (
            op(CrossEntropy { focal_gamma: 2.0, label_smoothing: 0.1, ..rows() }),
            "cross_entropy: `focal_gamma` is 2, must be 0 with label_smoothing (0.1): one or the other",
        ),
    ]);
}

#[test]
fn losses_of_pairs() {
    let long = 1usize << 35;
    refused(&[
        (op(MseLoss::new(DType::U32, 3)), "mse_loss: `dtype` is U32, must be f32, f16 or bf16"),
        (op(L1Loss::new(DType::U32, 3)), "l1_loss: `dtype` is U32, must be f32, f16 or bf16"),
        (op(HuberLoss::new(DType::U32, 3)), "huber_loss: `dtype` is U32, must be f32, f16 or bf16"),
        (op(MseLoss::new(DType::F16, long)), "mse_loss: `len` is 34359738368, must be at most 2^34 - 4: split it"),
        (op(L1Loss::new(DType::F16, long)), "l1_loss: `len` is 34359738368, must be at most 2^34 - 4: split it"),
        (op(HuberLoss::new(DType::F16, long)), "huber_loss: `len` is 34359738368, must be at most 2^34 - 4: split it"),
        (
            op(MseLoss { grad_scale: f64::NAN, ..MseLoss::new(DType::F32, 3) }),
            "mse_loss: `grad_scale` is NaN, must be finite in f32",
        ),
    ]);
    let huber = |delta, form| op(HuberLoss { delta, form, ..HuberLoss::new(DType::F32, 3) });
    refused(&[
        (huber(0.0, HuberForm::Huber), "huber_loss: `delta` is 0.0, must be between 1e-37 and 1e37; 1 is usual"),
        (huber(-1.0, HuberForm::SmoothL1), "huber_loss: `delta` is -1.0, must be 0, or between 1e-37 and 1e37; 1 is usual"),
        (huber(f64::NAN, HuberForm::Huber), "huber_loss: `delta` is NaN, must be between 1e-37 and 1e37; 1 is usual"),
    ]);
}
