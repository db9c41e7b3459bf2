//! Losses of any rows, and the fused ends of branches.
use super::{config, holds, spaces, survives_json};
use proptest::prelude::*;
use ridgepole::{Activation, DType, Key, LossReduction, Pattern, RowNorm, Targets, ops};

/// What makes pipelines, by turns, for they take a second each to compile and the cross-check has them all: storage, targets that
/// are shares, class weights, the gradient, and the reduction.
type Way = (DType, bool, bool, bool, LossReduction);

fn ways() -> impl Strategy<Value = Way> {
    prop::sample::select(vec![
        (DType::F32, false, true, true, LossReduction::Mean),
        (DType::Bf16, false, false, true, LossReduction::None),
        (DType::F16, true, false, true, LossReduction::Sum),
        (DType::F32, true, true, false, LossReduction::Mean),
    ])
}

/// The same for the ends of branches: storage, activation, bias, residual, RMS norm, a gradient of the sum.
type End = (DType, Activation, bool, bool, bool, bool);

fn ends() -> impl Strategy<Value = End> {
    prop::sample::select(vec![
        (DType::F32, Activation::Gelu, true, true, false, true),
        (DType::F16, Activation::LeakyRelu { slope: 0.3 }, false, true, true, false),
        (DType::Bf16, Activation::Silu, true, false, false, false),
    ])
}

proptest! {
    #![proptest_config(config(20))]

    #[test]
    fn losses_of_any_rows(
        (dtype, soft, class_weight, grad, reduction) in ways(),
        (rows, classes) in (0..40usize, prop_oneof![4 => 1..40usize, 1 => 250..270usize]),
        ignored in prop::option::of(0..5u32),
        (label_smoothing, focal) in (prop_oneof![Just(0.0), 0.0..=1.0f64], prop_oneof![Just(0.0), 0.0..4.0f64]),
        (z_loss, confidence_penalty) in (prop_oneof![Just(0.0), 0.0..0.1f64], prop_oneof![Just(0.0), 0.0..0.5f64]),
        pattern in prop::sample::select(vec![Pattern::Ordinary, Pattern::Constant, Pattern::NonFinite]),
        seed in any::<u64>(),
    ) {
        let op = ops::CrossEntropy {
            target: if soft { Targets::Probabilities } else { Targets::Classes },
            label_smoothing,
            class_weight,
            ignore_index: ignored.filter(|_| !soft),
            z_loss,
            confidence_penalty,
            focal_gamma: if soft || label_smoothing > 0.0 { 0.0 } else { focal },
            reduction,
            grad,
            ..ops::CrossEntropy::new(dtype, rows, classes)
        };
        holds(&op, pattern, seed)?;
        survives_json(&op)?;
        let huber = ops::HuberLoss { delta: 0.1 + focal, reduction, grad, ..ops::HuberLoss::new(dtype, rows * classes) };
        holds(&huber, pattern, seed)?;
        survives_json(&huber)?;
    }

    #[test]
    fn ends_of_a_branch_over_any_space(
        (dtype, act, bias, residual, rms, dz) in ends(),
        space in spaces(1),
        p in prop_oneof![5 => 0.01..0.99f64, 1 => Just(1.0)],
        (seed, stream, step) in any::<(u64, u32, u32)>(),
    ) {
        let key = Key { seed, stream, step, first_element: 0 };
        let forward = ops::BiasActDropoutAdd { act, bias, residual, ..ops::BiasActDropoutAdd::new(dtype, space, p, key) };
        holds(&forward, Pattern::Ordinary, seed)?;
        survives_json(&forward)?;
        holds(&forward.backward(), Pattern::Ordinary, seed)?;
        survives_json(&forward.backward())?;
        let norm = if rms { RowNorm::Rms } else { RowNorm::Layer };
        let (rows, cols) = (space.n * space.c, space.s);
        let sum = ops::DropoutAddLayerNorm { norm, bias, residual, ..ops::DropoutAddLayerNorm::new(dtype, rows, cols, p, key) };
        holds(&sum, Pattern::Ordinary, seed)?;
        survives_json(&sum)?;
        holds(&sum.backward(dz), Pattern::Ordinary, seed)?;
        survives_json(&sum.backward(dz))?;
    }
}
