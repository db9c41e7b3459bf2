//! Dropout and batch norm over any index space.
use super::{config, dtypes, holds, spaces, survives_json};
use proptest::prelude::*;
use ridgepole::{
    Activation, Bits, DType, Key, MaskMode, OneValue, Pattern, Running, RunningUpdate, RunningVariance, Scaling, Share, ops,
};

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn dropout_over_any_space(
        dtype in dtypes(),
        space in spaces(1),
        p in prop_oneof![3 => 0.0..=1.0f64, 1 => Just(0.0), 1 => Just(1.0)],
        share in prop::sample::select(Share::ALL.to_vec()),
        (half, store, test, training) in any::<(bool, bool, bool, bool)>(),
        (seed, stream, step, first) in any::<(u64, u32, u32, u32)>(),
    ) {
        let first_element = u64::from(first) * share.unit(&space);
        let key = Key { seed, stream, step, first_element };
        let scaling = if test { Scaling::ScaleAtTest } else { Scaling::Inverted };
        let bits = if half { Bits::Sixteen } else { Bits::ThirtyTwo };
        let mask = if store { MaskMode::Store } else { MaskMode::Recompute };
        let forward = ops::Dropout { dtype, space, p, key, share, scaling, bits, mask, training };
        holds(&forward, Pattern::Ordinary, seed)?;
        survives_json(&forward)?;
        let backward = forward.backward();
        holds(&backward, Pattern::Ordinary, seed)?;
        survives_json(&backward)?;
    }
}

/// Storage and what follows in the same pass, by turns: each is a pipeline, and the cross-check has them all.
fn fusions() -> impl Strategy<Value = (DType, Activation, bool)> {
    prop::sample::select(vec![
        (DType::F32, Activation::None, false),
        (DType::F16, Activation::Relu, true),
        (DType::Bf16, Activation::LeakyRelu { slope: 0.1 }, false),
        (DType::F32, Activation::Gelu, true),
    ])
}

fn runnings() -> impl Strategy<Value = Option<Running>> {
    prop::option::of((prop_oneof![Just(0.1), 0.0..=1.0f64], any::<bool>())).prop_map(|running| {
        running.map(|(a, biased)| Running {
            update: RunningUpdate::Momentum(a),
            variance: if biased { RunningVariance::Biased } else { RunningVariance::Unbiased },
        })
    })
}

fn patterns() -> impl Strategy<Value = Pattern> {
    prop::sample::select(vec![Pattern::Ordinary, Pattern::Constant, Pattern::Offset])
}

proptest! {
    #![proptest_config(config(16))]

    #[test]
    fn batch_norm_over_any_space(
        (dtype, activation, residual) in fusions(),
        space in spaces(1),
        (weight, bias) in any::<(bool, bool)>(),
        eps in prop_oneof![Just(1e-5), 0.0..1.0f64],
        running in runnings(),
        one_value in prop::sample::select(vec![OneValue::SkipRunning, OneValue::Guard]),
        pattern in patterns(),
        seed in any::<u64>(),
    ) {
        let train = ops::BatchNorm { dtype, space, eps, weight, bias, running, one_value, activation, residual };
        holds(&train, pattern, seed)?;
        survives_json(&train)?;
        let inference = ops::BatchNormInference { dtype, space, eps, weight, bias, activation, residual };
        holds(&inference, pattern, seed)?;
        survives_json(&inference)?;
        let backward = ops::BatchNormBackward::from(ops::BatchNorm { weight, bias, activation, residual, ..ops::BatchNorm::new(dtype, space) });
        holds(&backward, pattern, seed)?;
        survives_json(&backward)?;
        let frozen = ops::BatchNormFrozenBackward { dtype, space, eps, weight, bias, activation, residual };
        holds(&frozen, pattern, seed)?;
        survives_json(&frozen)?;
    }
}

// Each of these meets new pipelines in most cases: the size of a virtual batch is part of them.
proptest! {
    #![proptest_config(config(12))]

    #[test]
    fn batches_in_part_over_any_space(
        dtype in dtypes(),
        space in spaces(1),
        (weight, bias) in any::<(bool, bool)>(),
        running in runnings(),
        pattern in patterns(),
        seed in any::<u64>(),
    ) {
        let masked = ops::BatchNormMasked { dtype, space, eps: 1e-5, weight, bias, running };
        holds(&masked, pattern, seed)?;
        survives_json(&masked)?;
        holds(&ops::BatchNormMaskedBackward::from(ops::BatchNormMasked { weight, bias, ..ops::BatchNormMasked::new(dtype, space) }), pattern, seed)?;
        let renorm = ops::BatchRenorm { weight, bias, running: running.unwrap_or_default(), ..ops::BatchRenorm::new(dtype, space) };
        holds(&renorm, pattern, seed)?;
        survives_json(&renorm)?;
        holds(&ops::BatchRenormBackward::from(ops::BatchRenorm { weight, bias, ..ops::BatchRenorm::new(dtype, space) }), pattern, seed)?;
        // Any divisor of the batch.
        let sizes: Vec<usize> = (1..=space.n).filter(|v| space.n.is_multiple_of(*v)).collect();
        let size = sizes[seed as usize % sizes.len()];
        let ghost = ops::BatchNormGhost { weight, bias, running, ..ops::BatchNormGhost::new(dtype, space, size) };
        holds(&ghost, pattern, seed)?;
        survives_json(&ghost)?;
        holds(&ops::BatchNormGhostBackward::new(dtype, space, size), pattern, seed)?;
        holds(&ops::BatchNormStatistics { dtype, space }, pattern, seed)?;
        let divisors: Vec<usize> = (1..=space.c.max(1)).filter(|g| space.c.is_multiple_of(*g)).collect();
        let groups = divisors[seed as usize % divisors.len()];
        let group = ops::GroupNorm { weight, bias, ..ops::GroupNorm::new(dtype, space, groups) };
        holds(&group, pattern, seed)?;
        survives_json(&group)?;
        holds(&ops::GroupNormBackward::from(ops::GroupNorm { weight, bias, ..ops::GroupNorm::new(dtype, space, groups) }), pattern, seed)?;
    }
}
