//! Shapes that nobody thought of: random arenas and index spaces, GPU against reference, and every op through JSON.
use proptest::prelude::*;
use ridgepole::{
    Activation, Averaging, Bits, DType, DecayMode, ElasticNet, EpsPlace, Group, Key, Layout, LossReduction, MaskMode,
    Nonlinearity, OneValue, Op, Pattern, Rounding, RowNorm, Running, RunningUpdate, RunningVariance, Scaling, Segment, Session,
    Share, Space, Targets, Warmup, check, ops,
};
use std::sync::OnceLock;

fn session() -> &'static Session {
    static SESSION: OnceLock<Session> = OnceLock::new();
    SESSION.get_or_init(|| Session::new().expect("an adapter"))
}

/// Data of this kind on the GPU as it is, twice, in hostile memory.
fn holds(op: &dyn Op, pattern: Pattern, seed: u64) -> Result<(), TestCaseError> {
    check::Case::new(op, pattern, seed)
        .run(session().gpu(), session().queue())
        .map_err(|why| TestCaseError::fail(format!("{op:?}, {pattern:?}: {why}")))
}

/// Read back from its JSON, an op is the same op.
fn survives_json(op: &(impl Op + serde::Serialize)) -> Result<(), TestCaseError> {
    let mut json = serde_json::to_value(op).expect("plain data");
    json["op"] = op.name().into();
    let back = ops::from_json(&json.to_string()).map_err(|e| TestCaseError::fail(format!("{json}: {e}")))?;
    prop_assert_eq!(format!("{back:?}"), format!("{op:?}"));
    Ok(())
}

fn dtypes() -> impl Strategy<Value = DType> {
    prop::sample::select(DType::FLOATS.to_vec())
}

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

fn spaces(least_n: usize) -> impl Strategy<Value = Space> {
    let size = |least: usize| prop_oneof![3 => least..6usize, 2 => 6..20usize];
    let positions = prop_oneof![3 => 1..20usize, 1 => 60..70usize, 1 => Just(0usize)];
    (size(least_n), size(1), positions, any::<bool>()).prop_map(|(n, c, s, last)| {
        let layout = if last { Layout::ChannelsLast } else { Layout::ChannelsFirst };
        Space { n, c, s, layout }
    })
}

/// A few seconds in all on a software device; `PROPTEST_CASES=2000 cargo test --test properties` looks longer.
fn config(cases: u32) -> ProptestConfig {
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { ProptestConfig::default().cases } else { cases };
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() }
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
        let backward = ops::DropoutBackward { dtype, space, p, key, share, scaling, bits, mask };
        holds(&backward, Pattern::Ordinary, seed)?;
        survives_json(&backward)?;
    }

    #[test]
    fn batch_norm_over_any_space(
        dtype in dtypes(),
        space in spaces(1),
        (weight, bias) in any::<(bool, bool)>(),
        eps in prop_oneof![Just(1e-5), 0.0..1.0f64],
        running in prop::option::of((prop_oneof![Just(0.1), 0.0..=1.0f64], any::<bool>())),
        one_value in prop::sample::select(vec![OneValue::SkipRunning, OneValue::Guard]),
        pattern in prop::sample::select(vec![Pattern::Ordinary, Pattern::Constant, Pattern::Offset]),
        activation in prop::sample::select(vec![Activation::None, Activation::Relu, Activation::LeakyRelu { slope: 0.1 }]),
        residual in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let running = running.map(|(a, biased)| Running {
            update: RunningUpdate::Momentum(a),
            variance: if biased { RunningVariance::Biased } else { RunningVariance::Unbiased },
        });
        let train = ops::BatchNorm { dtype, space, eps, weight, bias, running, one_value, activation, residual };
        holds(&train, pattern, seed)?;
        survives_json(&train)?;
        let inference = ops::BatchNormInference { dtype, space, eps, weight, bias, activation, residual };
        holds(&inference, pattern, seed)?;
        survives_json(&inference)?;
        let backward = ops::BatchNormBackward { dtype, space, weight, bias, activation, residual };
        holds(&backward, pattern, seed)?;
        survives_json(&backward)?;
        let frozen = ops::BatchNormFrozenBackward { dtype, space, eps, weight, bias, activation, residual };
        holds(&frozen, pattern, seed)?;
        survives_json(&frozen)?;
        let masked = ops::BatchNormMasked { dtype, space, eps: 1e-5, weight, bias, running };
        holds(&masked, pattern, seed)?;
        survives_json(&masked)?;
        holds(&ops::BatchNormMaskedBackward { dtype, space, weight, bias }, pattern, seed)?;
        let renorm = ops::BatchRenorm { weight, bias, running: running.unwrap_or_default(), ..ops::BatchRenorm::new(dtype, space) };
        holds(&renorm, pattern, seed)?;
        survives_json(&renorm)?;
        holds(&ops::BatchRenormBackward { dtype, space, weight, bias }, pattern, seed)?;
        // Any divisor of the batch.
        let sizes: Vec<usize> = (1..=space.n).filter(|v| space.n.is_multiple_of(*v)).collect();
        let size = sizes[seed as usize % sizes.len()];
        let ghost = ops::BatchNormGhost { weight, bias, running, ..ops::BatchNormGhost::new(dtype, space, size) };
        holds(&ghost, pattern, seed)?;
        survives_json(&ghost)?;
        holds(&ops::BatchNormGhostBackward::new(dtype, space, size), pattern, seed)?;
        holds(&ops::BatchNormStatistics { dtype, space }, pattern, seed)?;
    }
}

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
            Nonlinearity::None,
            Nonlinearity::Relu,
            Nonlinearity::LeakyRelu { slope: 0.3 },
            Nonlinearity::Silu,
            Nonlinearity::Gelu,
            Nonlinearity::GeluTanh,
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
