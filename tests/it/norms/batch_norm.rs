//! What batch norm does at the edges: running statistics, nothing at all, what is not finite, padding.
use crate::common::{self, plain_cpu};
use ridgepole::{
    ops::{BatchNorm, BatchNormBackward, BatchNormFrozenBackward, BatchNormInference, BatchNormMasked, BatchNormMaskedBackward},
    *,
};

const SPACE: Space = Space { n: 4, c: 3, s: 5, layout: Layout::ChannelsFirst };

/// Hand-computed: channel values 1, 2, 3, 6 have mean 3, Σ(x - μ)² = 14; the running ones start at 10 and 20.
#[test]
fn running_statistics_follow_their_conventions() {
    let session = Session::new().expect("an adapter");
    let run = |update, variance, x: Vec<f32>, one_value| {
        let running = Some(Running { update, variance });
        let op = BatchNorm {
            weight: false,
            bias: false,
            running,
            one_value,
            ..BatchNorm::new(DType::F32, Space::channels_first(x.len(), 1, 1))
        };
        let out = session.run(&op, &[x.into(), vec![10.0].into(), vec![20.0].into()]).expect("the op runs");
        (out[3].to_f64()[0], out[4].to_f64()[0])
    };
    let near = |got: (f64, f64), want: (f64, f64)| {
        assert!((got.0 - want.0).abs() < 1e-5 && (got.1 - want.1).abs() < 1e-5, "got {got:?}, want {want:?}");
    };
    let x = || vec![1.0, 2.0, 3.0, 6.0];
    let (unbiased, biased) = (RunningVariance::Unbiased, RunningVariance::Biased);
    near(run(RunningUpdate::Momentum(0.1), unbiased, x(), OneValue::Error), (9.3, 18.0 + 1.4 / 3.0));
    near(run(RunningUpdate::Momentum(0.1), biased, x(), OneValue::Error), (9.3, 18.35));
    near(run(RunningUpdate::keras(0.9), biased, x(), OneValue::Error), (9.3, 18.35));
    near(run(RunningUpdate::Cumulative { seen: 3 }, biased, x(), OneValue::Error), (8.25, 15.875));
    near(run(RunningUpdate::Cumulative { seen: 0 }, biased, x(), OneValue::Error), (3.0, 3.5));
    near(run(RunningUpdate::Momentum(0.1), unbiased, vec![4.0], OneValue::SkipRunning), (10.0, 20.0));
    near(run(RunningUpdate::Momentum(0.1), unbiased, vec![4.0], OneValue::Guard), (9.4, 18.0));
}

#[test]
fn an_empty_tensor_gives_zero_sums_and_keeps_running_statistics() {
    let session = Session::new().expect("an adapter");
    let space = Space::channels_last(0, 3, 7);
    let [none, three] = [0, 3].map(|n| HostData::F32(vec![2.0; n]));
    let op = BatchNorm { running: Some(Running::default()), ..BatchNorm::new(DType::F32, space) };
    let out = session.run(&op, &[none.clone(), three.clone(), three.clone(), three.clone(), three.clone()]).expect("the op runs");
    assert_eq!(out[1], HostData::F32(vec![0.0; 3]), "mean");
    assert_eq!(out[3..], [three.clone(), three.clone()], "running statistics");
    let inputs = [none.clone(), none, three.clone(), three.clone(), three];
    let ops: [Box<dyn Verify>; 2] =
        [Box::new(BatchNormBackward::new(DType::F32, space)), Box::new(BatchNormFrozenBackward::new(DType::F32, space))];
    for op in ops {
        let out = session.run(op.as_ref(), &inputs).expect("the op runs");
        assert_eq!(out[1..], [HostData::F32(vec![0.0; 3]), HostData::F32(vec![0.0; 3])], "{}", op.name());
    }
}

#[test]
fn json_names_every_field_and_leaves_out_defaults() {
    let space = r#""space": {"n": 4, "c": 3, "s": 5}"#;
    let read = |text: &str| format!("{:?}", ops::verify_from_json(text).expect("is read"));
    assert_eq!(
        read(&format!(r#"{{"op": "batch_norm", "dtype": "f32", {space}}}"#)),
        format!("{:?}", BatchNorm::new(DType::F32, SPACE))
    );
    let all = format!(
        r#"{{"op": "batch_norm", "dtype": "bf16", {space}, "eps": 0.001, "weight": false, "bias": false, "one_value": "guard",
            "running": {{"update": {{"cumulative": {{"seen": 7}}}}, "variance": "biased"}}}}"#
    );
    let running = Some(Running { update: RunningUpdate::Cumulative { seen: 7 }, variance: RunningVariance::Biased });
    let op = BatchNorm {
        dtype: DType::Bf16,
        space: SPACE,
        eps: 1e-3,
        weight: false,
        bias: false,
        running,
        one_value: OneValue::Guard,
        activation: Activation::None,
        residual: false,
    };
    assert_eq!(read(&all), format!("{op:?}"));
    let momentum = format!(r#"{{"op": "batch_norm", "dtype": "f32", {space}, "running": {{"update": {{"momentum": 0.1}}}}}}"#);
    let op = BatchNorm { running: Some(Running::default()), ..BatchNorm::new(DType::F32, SPACE) };
    assert_eq!(read(&momentum), format!("{op:?}"));
    assert!(ops::verify_from_json(&format!(r#"{{"op": "batch_norm_backward", "dtype": "f32", {space}, "eps": 1}}"#)).is_err());
}

/// Values on both sides of the kink, on it, and not finite; by statistics that change nothing (mean 0, variance 1, ε 0).
#[test]
fn an_activation_keeps_nan_and_its_derivative_at_zero_is_that_from_below() {
    let session = Session::new().expect("an adapter");
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    let x = vec![2.0, -2.0, 0.0, -0.0, nan, -nan, inf, -inf];
    let (zero, one) = (HostData::F32(vec![0.0]), HostData::F32(vec![1.0]));
    let space = Space::flat(8);
    for (activation, y, dx) in [
        (Activation::Relu, [2.0, 0.0, 0.0, 0.0, nan, nan, inf, 0.0], [1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0]),
        (
            Activation::LeakyRelu { slope: 0.5 },
            [2.0, -1.0, 0.0, 0.0, nan, nan, inf, -inf],
            [1.0, 0.5, 0.5, 0.5, 1.0, 1.0, 1.0, 0.5],
        ),
    ] {
        let same = |got: &HostData, want: [f32; 8], what: &str| {
            let right = got.to_f64().iter().zip(want).all(|(g, w)| *g == f64::from(w) || (g.is_nan() && w.is_nan()));
            assert!(right, "{activation:?}, {what}: got {got:?}, want {want:?}");
        };
        let (weight, bias) = (false, false);
        let op = BatchNormInference { eps: 0.0, activation, weight, bias, ..BatchNormInference::new(DType::F32, space) };
        let out = session.run(&op, &[x.clone().into(), zero.clone(), one.clone()]).expect("the op runs");
        same(&out[0], y, "y");
        for residual in [false, true] {
            let op = BatchNormFrozenBackward { residual, ..BatchNormFrozenBackward::new(DType::F32, space) };
            let op = BatchNormFrozenBackward { eps: 0.0, activation, weight, bias, ..op };
            let mut inputs = vec![x.clone().into(), HostData::F32(vec![1.0; 8]), zero.clone(), one.clone()];
            inputs.extend(residual.then(|| HostData::F32(y.to_vec())));
            let out = session.run(&op, &inputs).expect("the op runs");
            same(&out[0], dx, "dx");
            if residual {
                same(&out[1], dx, "dresidual");
            }
        }
    }
    // What is held back does not count, not even a NaN.
    let op = BatchNormFrozenBackward { activation: Activation::Relu, ..BatchNormFrozenBackward::new(DType::F32, Space::flat(2)) };
    let inputs = [vec![-1.0, 1.0].into(), vec![nan, 3.0].into(), zero.clone(), one.clone(), one, zero];
    let out = session.run(&op, &inputs).expect("the op runs");
    assert_eq!(out[2], HostData::F32(vec![3.0]), "dbias");
}

/// Whatever stands in the padding, results are those of the values that count.
#[test]
fn padding_may_hold_anything() {
    let session = Session::new().expect("an adapter");
    for space in [Space::channels_first(2, 3, 7), Space::channels_last(2, 3, 7)] {
        let lengths = [4, 6];
        let kept = |n: usize, s: usize| s < lengths[n];
        let word = (0..14).filter(|p| kept(p / 7, p % 7)).fold(!0 << 14, |w: u32, p| w | 1 << p);
        let filled = |padding: f32| {
            let mut x = vec![0.0f32; 42];
            for i in 0..42 {
                let (n, c, s) = (i / 21, i / 7 % 3, i % 7);
                x[space.offset(n, c, s)] = if kept(n, s) { (i * i % 11) as f32 } else { padding };
            }
            HostData::F32(x)
        };
        let op = BatchNormMasked { weight: false, bias: false, ..BatchNormMasked::new(DType::F32, space) };
        let backward =
            BatchNormMaskedBackward::from(BatchNormMasked { weight: false, ..BatchNormMasked::new(DType::F32, space) });
        let run = |padding| {
            let (x, mask) = (filled(padding), HostData::U32(vec![word]));
            let mut out = session.run(&op, &[x.clone(), mask.clone()]).expect("the op runs");
            let given = [x, filled(padding), out[1].clone(), out[2].clone(), mask];
            out.extend(session.run(&backward, &given).expect("the op runs"));
            out
        };
        let want = run(0.0);
        for padding in [f32::NAN, f32::INFINITY, 1e30] {
            assert_eq!(run(padding), want, "{padding} in {space:?}");
        }
        let y = want[0].to_f64();
        assert!((0..42).all(|i| kept(i / 21, i % 7) || y[space.offset(i / 21, i / 7 % 3, i % 7)] == 0.0), "{y:?}");
    }
}

/// dx does not depend on the sums; it is written in their pass where quads are whole and the device binds buffers enough.
#[test]
fn frozen_statistics_take_one_pass_where_quads_are_whole() {
    let entries = |op: &BatchNormFrozenBackward, buffers: u32| {
        let mut caps = plain_cpu();
        caps.limits.max_storage_buffers_per_shader_stage = buffers;
        common::entries(op, &caps)
    };
    let (one, two) =
        (vec!["channel_reduce", "column_gradients"], vec!["channel_reduce", "batch_norm_frozen_backward", "channel_apply"]);
    let of = |space| BatchNormFrozenBackward::new(DType::F16, space);
    for (space, whole) in [
        (Space::channels_first(4, 3, 8), true),
        (Space::channels_last(4, 8, 3), true),
        (Space::channels_first(4, 3, 6), false),
        (Space::channels_last(4, 6, 8), false),
    ] {
        assert_eq!(entries(&of(space), 8), if whole { &one[..] } else { &two[..] }, "{space:?}");
    }
    let both = BatchNormFrozenBackward { activation: Activation::Silu, residual: true, ..of(Space::channels_first(4, 3, 8)) };
    assert_eq!(entries(&both, 10), one);
    assert_eq!(entries(&both, 9), two);
    // Without sums, x is not read.
    let plain = BatchNormFrozenBackward { weight: false, bias: false, ..of(Space::channels_first(4, 3, 8)) };
    assert_eq!(entries(&plain, 8), ["batch_norm_frozen_backward", "channel_apply",]);
}
