//! Data on which other libraries' batch statistics have failed: the variance must be within 1e-6 of the exact one wherever
//! |mean| is at most 10^6 standard deviations, in both layouts, and results must not depend on windows.
use ridgepole::{ops::BatchNorm, *};

/// Normal numbers by Box and Muller.
fn normal(rng: &mut Rng, mean: f64, deviation: f64) -> f32 {
    let (u, v) = (1.0 - rng.unit(), rng.unit());
    (mean + deviation * (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()) as f32
}

/// Channels of `m` values, by name.
fn hostile(m: usize) -> Vec<(&'static str, Vec<f32>)> {
    let mut rng = Rng::new(7);
    let mut draw = |mean, deviation| (0..m).map(|_| normal(&mut rng, mean, deviation)).collect::<Vec<f32>>();
    let mut all = vec![
        ("N(0, 1)", draw(0.0, 1.0)),
        ("N(100, 0.01)", draw(100.0, 0.01)),
        ("N(1e4, 1)", draw(1e4, 1.0)),
        ("N(1e4, 0.01)", draw(1e4, 0.01)),
        ("N(1e5, 0.1)", draw(1e5, 0.1)),
        ("N(1e6, 1)", draw(1e6, 1.0)),
        ("N(-1e6, 1)", draw(-1e6, 1.0)),
        ("N(1e-12, 1e-18)", draw(1e-12, 1e-18)),
        ("N(1e15, 1e9)", draw(1e15, 1e9)),
    ];
    for (name, place, value) in [
        ("N(0, 1), first 1e4", 0, 1e4f32),
        ("N(0, 1), first 1e6", 0, 1e6),
        ("N(0, 1), last 1e6", m - 1, 1e6),
        ("N(0, 1), one in the middle -1e4", m / 2, -1e4),
    ] {
        let mut values = draw(0.0, 1.0);
        values[place] = value;
        all.push((name, values));
    }
    all.push(("a ramp from 1e4 to 1e4 + 1", (0..m).map(|i| (1e4 + i as f64 / m as f64) as f32).collect()));
    all.push(("a ramp from -1 to 1", (0..m).map(|i| (2.0 * i as f64 / m as f64 - 1.0) as f32).collect()));
    all.push(("a step of 1e6", (0..m).map(|i| if i < m / 2 { 0.0 } else { 1e6 }).collect()));
    all.push(("all 1e4", vec![1e4; m]));
    all.push(("all 0.1", vec![0.1; m]));
    all
}

/// Short channels that made bug reports elsewhere.
fn reported() -> Vec<(&'static str, Vec<f32>)> {
    let mut rng = Rng::new(8);
    let steps = |mean: f64| (0..16).map(|i| (mean + f64::from(i) * 1e-3) as f32).collect::<Vec<_>>();
    vec![
        ("pytorch 51102", (0..4).map(|_| normal(&mut rng, 2000.0, 1.0)).collect()),
        ("pytorch 40302", (0..32768).map(|_| normal(&mut rng, 100.0, 0.01)).collect()),
        ("onnxruntime 28463", vec![40000.0, 40001.0, 40002.0, 40003.0]),
        ("onnxruntime 28463, twice as far", vec![80000.0, 80001.0, 80002.0, 80003.0]),
        ("burn 5607 at 0", steps(0.0)),
        ("burn 5607 at 100", steps(100.0)),
        ("burn 5607 at 1e3", steps(1e3)),
        ("burn 5607 at 1e4", steps(1e4)),
        ("mlx 2238", (0..16).map(|i| 1449.0 + (i as f32 * 0.61).fract() - 0.5).collect()),
        ("caffe 3963", vec![100.0; 77]),
        ("two values", vec![1.0, 1.0 + f32::EPSILON]),
    ]
}

/// Mean and biased variance as the GPU finds them: running statistics that forget everything but this batch.
fn statistics(session: &Session, space: Space, x: Vec<f32>) -> (Vec<f64>, Vec<f64>) {
    let running = Some(Running { update: RunningUpdate::Momentum(1.0), variance: RunningVariance::Biased });
    let op = BatchNorm { weight: false, bias: false, eps: 0.0, running, ..BatchNorm::new(DType::F32, space) };
    let zeros = HostData::F32(vec![0.0; space.c]);
    let out = session.run(&op, &[HostData::F32(x), zeros.clone(), zeros]).expect("the op runs");
    (out[3].to_f64(), out[4].to_f64())
}

/// Lays channels out in a space.
fn lay(space: Space, channels: &[(&str, Vec<f32>)]) -> Vec<f32> {
    let mut x = vec![0.0; space.len()];
    for (c, (_, values)) in channels.iter().enumerate() {
        for (i, &v) in values.iter().enumerate() {
            x[space.offset(i / space.s, c, i % space.s)] = v;
        }
    }
    x
}

/// The worst relative error of a variance.
fn check(session: &Session, space: Space, channels: &[(&str, Vec<f32>)]) -> f64 {
    let (mean, variance) = statistics(session, space, lay(space, channels));
    let mut worst = 0.0;
    for (c, (name, values)) in channels.iter().enumerate() {
        let values: Vec<f64> = values.iter().map(|&v| f64::from(v)).collect();
        let [mu, sigma2] = cpu::moments(&values);
        if values.iter().all(|v| *v == values[0]) {
            assert_eq!((mean[c], variance[c]), (values[0], 0.0), "{name}, {space:?}: a constant channel");
            continue;
        }
        let off = (variance[c] / sigma2 - 1.0).abs();
        assert!(off <= 1e-6, "{name}, {space:?}: variance {} is {off:e} (relative) from {sigma2}", variance[c]);
        let near = 1e-6 * sigma2.sqrt() + f64::from(f32::EPSILON) * mu.abs();
        assert!((mean[c] - mu).abs() <= near, "{name}, {space:?}: mean {} is not {mu}", mean[c]);
        println!("{name}: {off:.1e}");
        worst = f64::max(worst, off);
    }
    worst
}

/// This device, and as if it were of the other kind: partials are fewer or more, and merge in another order.
fn both_kinds() -> [Session; 2] {
    let session = || Session::new().expect("an adapter");
    let cpu = session().gpu().caps().cpu;
    [session(), session().with_caps(Caps::new(wgpu::Limits::default(), wgpu::Features::empty(), !cpu))]
}

#[test]
fn variances_are_right_to_1e_6_however_far_the_mean() {
    let channels = hostile(1 << 16);
    let c = channels.len();
    for session in both_kinds() {
        for (n, s) in [(16, 1 << 12), (64, 1 << 10), (1 << 16, 1), (1, 1 << 16)] {
            for space in [Space::channels_first(n, c, s), Space::channels_last(n, c, s)] {
                println!("{space:?}: worst {:.1e}", check(&session, space, &channels));
            }
        }
        // A number of channels and of positions that is no multiple of four.
        let space = Space::channels_first(7, c - 1, 9361);
        check(&session, space, &hostile(7 * 9361)[..c - 1]);
        check(&session, Space { layout: Layout::ChannelsLast, ..space }, &hostile(7 * 9361)[..c - 1]);
    }
}

#[test]
fn a_million_values_in_one_channel() {
    let session = Session::new().expect("an adapter");
    for one in hostile(1 << 20).chunks(1).skip(3).take(3) {
        println!("{}: worst {:.1e}", one[0].0, check(&session, Space::flat(1 << 20), one));
    }
}

#[test]
fn variances_that_others_reported_wrong_are_right() {
    let session = Session::new().expect("an adapter");
    for one in reported() {
        let m = one.1.len();
        check(&session, Space::channels_first(m, 1, 1), std::slice::from_ref(&one));
        // The same values in three channels, so that no layout is the trivial one.
        let three = [one.clone(), one.clone(), one];
        for space in [Space::channels_first(m, 3, 1), Space::channels_first(1, 3, m), Space::channels_last(1, 3, m)] {
            check(&session, space, &three);
        }
    }
}

#[test]
fn what_overflows_is_nan_in_its_channel_only() {
    let session = Session::new().expect("an adapter");
    let channels = [("1e30", vec![1e30, -1e30, 2e30]), ("fine", vec![1.0, 2.0, 4.0]), ("NaN", vec![f32::NAN, 0.0, 1.0])];
    let space = Space::channels_last(3, 3, 1);
    let running = Some(Running { update: RunningUpdate::Momentum(1.0), variance: RunningVariance::Biased });
    let op = BatchNorm { weight: false, bias: false, eps: 0.0, running, ..BatchNorm::new(DType::F32, space) };
    let zeros = HostData::F32(vec![0.0; 3]);
    let out = session.run(&op, &[HostData::F32(lay(space, &channels)), zeros.clone(), zeros]).expect("the op runs");
    let names = ["y", "mean", "rstd", "running_mean", "running_var"];
    for (name, values) in names.iter().zip(&out) {
        for (i, v) in values.to_f64().iter().enumerate() {
            // Channels last: the channel is the place in a row, for vectors too.
            assert_eq!(v.is_nan(), i % 3 != 1, "{name}[{i}] is {v}");
        }
    }
    let fine = [out[1].to_f64()[1], out[4].to_f64()[1]];
    assert!((fine[0] - 7.0 / 3.0).abs() < 1e-6 && (fine[1] - 14.0 / 9.0).abs() < 1e-6, "{fine:?}");
}

/// More than 64 MiB, so that a binding limit of 64 MiB makes windows: the chunks are the same, and every bit with them.
#[test]
fn windows_and_wrapped_grids_change_no_bit() {
    let whole = Session::new().expect("an adapter");
    let (limits, fold) = (whole.gpu().caps().limits.clone(), 7);
    for space in [Space::channels_first(9, 33, 65_539), Space::channels_last(9, 33, 65_539)] {
        let mut rng = Rng::new(9);
        let x = HostData::F32((0..space.len()).map(|_| rng.word() as f32 * 2f32.powi(-30)).collect());
        let op = BatchNorm { weight: false, bias: false, ..BatchNorm::new(DType::F32, space) };
        let mut caps = whole.gpu().caps().clone();
        assert!(limits.max_storage_buffer_binding_size >= x.bytes().len() as u64, "the whole tensor fits one binding");
        let one = whole.run(&op, std::slice::from_ref(&x)).expect("the op runs");
        caps.limits.max_storage_buffer_binding_size = 64 << 20;
        caps.fold = fold;
        let steps = |caps: &Caps| op.lower(caps).expect("the op lowers").steps().len();
        assert!(steps(&caps) > steps(whole.gpu().caps()), "windows were made");
        let session = Session::new().expect("an adapter").with_caps(caps);
        let other = session.run(&op, std::slice::from_ref(&x)).expect("the op runs");
        assert!(one == other, "{space:?}");
    }
}

/// A batch on four ranks, unequal and one empty, is the whole batch: forward, running statistics and backward.
#[test]
fn ranks_that_merge_their_statistics_compute_what_one_device_does() {
    let session = Session::new().expect("an adapter");
    let (c, s, shares) = (5, 6, [3, 0, 1, 7]);
    let n: usize = shares.iter().sum();
    let whole = Space::channels_last(n, c, s);
    let mut rng = Rng::new(31);
    let mut draw = |len: usize, lo: f64| HostData::from_f64(DType::F32, (0..len).map(|_| lo + rng.unit()));
    let (x, dy) = (draw(whole.len(), 3.0), draw(whole.len(), -0.5));
    let (weight, bias, old_mean, old_var) = (draw(c, 0.5), draw(c, -0.5), draw(c, 0.0), draw(c, 0.5));
    let part = |of: &HostData, r: usize| {
        let first = shares[..r].iter().sum::<usize>() * c * s;
        HostData::from_f64(DType::F32, of.to_f64()[first..first + shares[r] * c * s].iter().copied())
    };
    let run = |op: &dyn Verify, inputs: &[HostData]| session.run(op, inputs).unwrap_or_else(|e| panic!("{op:?}: {e}"));
    let joined = |parts: Vec<HostData>| HostData::from_f64(DType::F32, parts.iter().flat_map(HostData::to_f64));

    let (activation, running) = (Activation::Relu, Some(Running::default()));
    let here: Vec<Space> = shares.iter().map(|n| Space { n: *n, ..whole }).collect();
    let of = |k: usize, all: &[Vec<HostData>]| joined(all.iter().map(|r| r[k].clone()).collect());
    let statistics: Vec<Vec<HostData>> =
        (0..4).map(|r| run(&ops::BatchNormStatistics::new(DType::F32, here[r]), &[part(&x, r)])).collect();
    let merge = ops::BatchNormMerge { running, ..ops::BatchNormMerge::new(4, c) };
    let gathered = [of(0, &statistics), of(1, &statistics), of(2, &statistics), old_mean.clone(), old_var.clone()];
    let merged = run(&merge, &gathered);
    assert_eq!(merged[0], HostData::F32(vec![(n * s) as f32]), "the count");
    let (count, mean, rstd) = (merged[0].clone(), merged[1].clone(), merged[2].clone());
    let y = (0..4).map(|r| {
        let op = ops::BatchNormApply { activation, ..ops::BatchNormApply::new(DType::F32, here[r]) };
        run(&op, &[part(&x, r), mean.clone(), rstd.clone(), weight.clone(), bias.clone()]).remove(0)
    });
    let mut got = vec![joined(y.collect()), mean.clone(), rstd.clone(), merged[3].clone(), merged[4].clone()];
    let sums: Vec<Vec<HostData>> = (0..4)
        .map(|r| {
            let op = ops::BatchNormBackwardSums { activation, ..ops::BatchNormBackwardSums::new(DType::F32, here[r]) };
            run(&op, &[part(&x, r), part(&dy, r), mean.clone(), rstd.clone(), weight.clone(), bias.clone()])
        })
        .collect();
    let total = |k: usize| {
        let at = |i: usize| sums.iter().map(|r| r[k].to_f64()[i]).sum::<f64>();
        HostData::from_f64(DType::F32, (0..c).map(at))
    };
    let dx = (0..4).map(|r| {
        let op = ops::BatchNormBackwardApply::from(ops::BatchNormApply {
            activation,
            ..ops::BatchNormApply::new(DType::F32, here[r])
        });
        let statistics = [mean.clone(), rstd.clone(), weight.clone(), bias.clone(), total(0), total(1), count.clone()];
        run(&op, &[vec![part(&x, r), part(&dy, r)], statistics.to_vec()].concat()).remove(0)
    });
    got.extend([joined(dx.collect()), total(1), total(0)]);

    let forward = ops::BatchNorm { activation, running, ..ops::BatchNorm::new(DType::F32, whole) };
    let zeros = |len: usize| HostData::F32(vec![0.0; len]);
    let data = [x.clone(), weight.clone(), bias.clone(), zeros(whole.len()), zeros(c), zeros(c), old_mean, old_var];
    let mut want = forward.reference(&data);
    let backward = ops::BatchNormBackward::from(ops::BatchNorm { activation, ..ops::BatchNorm::new(DType::F32, whole) });
    want.extend(backward.reference(&[x, dy, mean, rstd, weight, bias, zeros(whole.len()), zeros(c), zeros(c)]));
    for (i, (got, want)) in got.iter().zip(&want).enumerate() {
        // Each within the bound of the whole. Between ranks the mean, below 4, is rounded to f32 as well: 4 ulp of 1, where the
        // bound allows the range, about 1, times more than 60 for the sums of 66 values.
        let Expected::Within { value, bound } = want else { panic!("no values") };
        let twice = bound.iter().map(|b| 2.0 * b).collect();
        check::compare(got, &Expected::Within { value: value.clone(), bound: twice })
            .unwrap_or_else(|why| panic!("result {i}: {why}"));
    }
}
