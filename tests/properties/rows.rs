//! Losses of any rows, and the fused ends of branches.
use super::{config, dtypes, holds, spaces, survives_json};
use proptest::prelude::*;
use ridgepole::{Activation, Key, LossReduction, Pattern, RowNorm, Targets, ops};

// Each of these meets new pipelines in most cases.
proptest! {
    #![proptest_config(config(12))]

    #[test]
    fn losses_of_any_rows(
        dtype in dtypes(),
        (rows, classes) in (0..40usize, prop_oneof![4 => 1..40usize, 1 => 250..270usize]),
        (soft, class_weight, grad) in any::<(bool, bool, bool)>(),
        ignored in prop::option::of(0..5u32),
        (label_smoothing, focal) in (prop_oneof![Just(0.0), 0.0..=1.0f64], prop_oneof![Just(0.0), 0.0..4.0f64]),
        (z_loss, confidence_penalty) in (prop_oneof![Just(0.0), 0.0..0.1f64], prop_oneof![Just(0.0), 0.0..0.5f64]),
        reduction in prop::sample::select(vec![LossReduction::Mean, LossReduction::Sum, LossReduction::None]),
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
        dtype in dtypes(),
        space in spaces(1),
        p in prop_oneof![3 => 0.0..=1.0f64, 1 => Just(0.0), 1 => Just(1.0)],
        act in prop::sample::select(vec![
            Activation::None,
            Activation::Relu,
            Activation::LeakyRelu { slope: 0.3 },
            Activation::Silu,
            Activation::Gelu,
            Activation::GeluTanh,
        ]),
        (bias, residual, rms, dz) in any::<(bool, bool, bool, bool)>(),
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
