//! Penalties and optimizers over any arena.
use super::{config, dtypes, holds, survives_json};
use proptest::prelude::*;
use ridgepole::{Averaging, DType, DecayMode, ElasticNet, EpsPlace, Group, Key, Pattern, Rounding, Segment, Warmup, ops};

fn penalties() -> impl Strategy<Value = ElasticNet> {
    let lambda = || prop_oneof![Just(0.0), 0.0..0.5];
    (lambda(), lambda(), any::<bool>()).prop_map(|(l1, l2, half)| {
        let l2_form = if half { ridgepole::L2Form::Half } else { ridgepole::L2Form::Sum };
        ElasticNet { l1, l2, l2_form }
    })
}

/// Tensors of any length with gaps of whole quads between them, in three groups.
fn arenas() -> impl Strategy<Value = Vec<Segment>> {
    let lengths = prop_oneof![4 => 0..40usize, 2 => 500..530usize, 1 => 2040..2060usize, 1 => 0..5000usize];
    prop::collection::vec((0..3usize, lengths, 0..3usize), 0..12).prop_map(|tensors| {
        let mut end = 0usize;
        tensors
            .into_iter()
            .map(|(gap, len, group)| {
                let start = end.next_multiple_of(4) + 4 * gap;
                end = start + len;
                Segment { start, len, group }
            })
            .collect()
    })
}

fn averagings() -> impl Strategy<Value = Averaging> {
    (prop_oneof![Just(0.0), Just(1.0), 0.0..1.0f64], 0..100u64, 0..4usize).prop_map(|(decay, updates, kind)| {
        let warmup = [Warmup::None, Warmup::TensorFlow { updates }, Warmup::Polyak { updates }, Warmup::Debiased { updates }];
        Averaging { decay, warmup: warmup[kind] }
    })
}

fn roundings() -> impl Strategy<Value = Rounding> {
    let key = any::<(u64, u32, u32, u32)>();
    prop::option::of(key).prop_map(|key| {
        key.map_or(Rounding::Nearest, |(seed, stream, step, first)| {
            Rounding::Stochastic(Key { seed, stream, step, first_element: 4 * u64::from(first) })
        })
    })
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn penalties_over_any_arena(
        dtype in dtypes(),
        segments in arenas(),
        groups in prop::collection::vec(penalties(), 3),
        step in 0.0..2.0f64,
        pattern in prop::sample::select(vec![Pattern::Ordinary, Pattern::Zeros]),
        seed in any::<u64>(),
    ) {
        let value = ops::Penalty::new(dtype, segments.clone(), groups.clone());
        holds(&value, pattern, seed)?;
        let grad = ops::PenaltyGrad::new(dtype, segments.clone(), groups.clone());
        holds(&grad, pattern, seed)?;
        let prox = ops::Prox { dtype, segments, groups, step };
        holds(&prox, pattern, seed)?;
        survives_json(&value)?;
        survives_json(&grad)?;
        survives_json(&prox)?;
    }
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn optimizers_over_any_arena(
        dtype in dtypes(),
        segments in arenas(),
        groups in prop::collection::vec((penalties(), penalties(), 0.0..2.0f64, 0.0..0.5f64, any::<bool>()), 3),
        momentum in prop_oneof![Just(0.0), 0.0..1.0],
        (step, lr, eps) in (1..100u64, 0.0..1.0f64, 1e-8..1e-2f64),
        keep in (averagings(), any::<bool>(), roundings()),
        seed in any::<u64>(),
    ) {
        let groups: Vec<Group> = groups
            .into_iter()
            .map(|(coupled, prox, lr_scale, decay, independent)| {
                let decay_mode = if independent { DecayMode::Independent } else { DecayMode::ScaledByLr };
                Group { lr_scale, coupled, decay, decay_mode, prox }
            })
            .collect();
        let (ema, master, rounding) = keep;
        let ema = Some(ema);
        let master = master && dtype != DType::F32;
        let rounding = if dtype == DType::Bf16 && !master { rounding } else { Rounding::Nearest };
        let sgd = ops::Sgd {
            segments: segments.clone(),
            groups: groups.clone(),
            momentum,
            step,
            ema,
            master,
            rounding,
            ..ops::Sgd::new(dtype, 0, lr)
        };
        holds(&sgd, Pattern::Ordinary, seed)?;
        survives_json(&sgd)?;
        let adamw = ops::Adamw { segments: segments.clone(), groups: groups.clone(), step, eps, ..ops::Adamw::new(dtype, 0, lr) };
        holds(&adamw, Pattern::Ordinary, seed)?;
        survives_json(&adamw)?;
        let alone = ops::Ema { dtype, segments: segments.clone(), decay: keep.0.decay, warmup: keep.0.warmup };
        holds(&alone, Pattern::Ordinary, seed)?;
        survives_json(&alone)?;
        let swa = ops::Swa { dtype, segments: segments.clone(), averaged: step };
        holds(&swa, Pattern::Ordinary, seed)?;
        survives_json(&swa)?;
        let sam = ops::SamPerturb {
            dtype,
            segments: segments.clone(),
            rho: lr,
            eps: if step % 2 == 0 { 0.0 } else { eps },
            adaptive: (step % 3 > 0).then_some(momentum),
        };
        holds(&sam, [Pattern::Ordinary, Pattern::Offset, Pattern::Tiny][seed as usize % 3], seed)?;
        survives_json(&sam)?;
        let back = ops::SamRestore { dtype, segments: segments.clone() };
        holds(&back, Pattern::Ordinary, seed)?;
        survives_json(&back)?;
        let lion = ops::Lion { segments: segments.clone(), groups: groups.clone(), ema, master, rounding, ..ops::Lion::new(dtype, 0, lr) };
        holds(&lion, Pattern::Ordinary, seed)?;
        survives_json(&lion)?;
        let place = if step % 2 == 0 { EpsPlace::InsideRoot } else { EpsPlace::OutsideRoot };
        let rmsprop = ops::RmsProp {
            segments: segments.clone(),
            groups: groups.clone(),
            eps,
            eps_place: place,
            centered: step % 3 == 0,
            momentum,
            ..ops::RmsProp::new(dtype, 0, lr)
        };
        holds(&rmsprop, Pattern::Ordinary, seed)?;
        survives_json(&rmsprop)?;
        let adagrad = ops::Adagrad { segments: segments.clone(), groups: groups.clone(), step, eps, lr_decay: eps, eps_place: place, ..ops::Adagrad::new(dtype, 0, lr) };
        holds(&adagrad, Pattern::Ordinary, seed)?;
        survives_json(&adagrad)?;
        // It divides by the rate and has no decay.
        let groups = groups.into_iter().map(|g| Group { decay: 0.0, lr_scale: 1.0 + g.lr_scale, ..g }).collect();
        let ftrl = ops::Ftrl { segments, groups, beta: momentum, ..ops::Ftrl::new(dtype, 0, 1e-2 + lr) };
        holds(&ftrl, Pattern::Ordinary, seed)?;
        survives_json(&ftrl)?;
    }
}
