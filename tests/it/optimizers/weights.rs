//! How optimizers keep weights, over many steps: averages in the pass of the step, f32 masters, rounding at random.
use crate::common::session;
use ridgepole::{
    ops::{Adamw, Ema, SamPerturb, SamRestore, Sgd, Swa},
    *,
};

fn run(session: &Session, op: &dyn Verify, data: &[HostData]) -> Vec<HostData> {
    session.run(op, data).expect("the op runs")
}

fn random(dtype: DType, len: usize, seed: u64) -> HostData {
    Rng::new(seed).fill(&Arg::read("x", dtype, len), [-1.0, 1.0], Pattern::Ordinary)
}

fn key(step: u32) -> Rounding {
    Rounding::Stochastic(Key { seed: 7, stream: 1, step, first_element: 0 })
}

/// The average in the pass of the step is that of a pass of its own behind it: of the weights as they are stored, or of the
/// masters.
#[test]
fn a_fused_average_is_that_of_the_stored_weights() {
    let (session, len) = (session(), 5003);
    for (dtype, master, rounding) in [
        (DType::F32, false, Rounding::Nearest),
        (DType::F16, false, Rounding::Nearest),
        (DType::F16, true, Rounding::Nearest),
        (DType::Bf16, false, Rounding::Nearest),
        (DType::Bf16, false, key(1)),
        (DType::Bf16, true, Rounding::Nearest),
    ] {
        let average = Averaging { decay: 0.9, warmup: Warmup::TensorFlow { updates: 2 } };
        let op = Sgd { ema: Some(average), master, rounding, ..Sgd::new(dtype, len, 0.1) };
        let before = random(DType::F32, len, 3);
        let mut data = vec![random(dtype, len, 1), random(dtype, len, 2)];
        data.extend(master.then(|| random(DType::F32, len, 2)));
        data.push(before.clone());
        let out = run(&session, &op, &data);
        let (followed, fused) = if master { (1, 2) } else { (0, 1) };
        let alone =
            Ema { dtype: out[followed].dtype(), segments: Segment::one(len), decay: average.decay, warmup: average.warmup };
        let want = run(&session, &alone, &[out[followed].clone(), before])[0].to_f64();
        // Compilers may fuse the product and the sum in one kernel and not in the other: an ulp of the operands. Rounding to a
        // half would be 2^12 times that.
        for (i, (got, want)) in out[fused].to_f64().iter().zip(want).enumerate() {
            assert!((got - want).abs() <= 2.0 * f64::from(f32::EPSILON), "{op:?}, element {i}: {got} and {want}");
        }
    }
}

/// With f32 masters, halves are trained as f32 weights are: the master is the f32 run's weight, the weight its nearest half.
#[test]
fn a_master_is_trained_like_an_f32_weight() {
    let (session, len, prox) = (session(), 1001, ElasticNet::l1(0.3));
    for dtype in [DType::F16, DType::Bf16] {
        let groups = vec![Group { prox, decay: 0.1, ..Group::default() }];
        let half = |step| Adamw { master: true, groups: groups.clone(), step, ..Adamw::new(dtype, len, 0.05) };
        let full = |step| Adamw { groups: groups.clone(), step, ..Adamw::new(DType::F32, len, 0.05) };
        let start = random(DType::F32, len, 5);
        let zeros = || HostData::F32(vec![0.0; len]);
        let garbage = HostData::from_f64(dtype, vec![f64::NAN; len]);
        let mut ours = vec![garbage, zeros(), zeros(), start.clone()];
        let mut theirs = vec![start, zeros(), zeros()];
        for step in 1..=10 {
            let grad = random(dtype, len, 10 + step);
            let of = |grad: HostData, rest: &[HostData]| [&[grad][..], rest].concat();
            ours = run(&session, &half(step), &of(grad.clone(), &ours));
            theirs = run(&session, &full(step), &of(HostData::from_f64(DType::F32, grad.to_f64()), &theirs));
        }
        let (weight, master, want) = (ours[0].to_f64(), ours[3].to_f64(), theirs[0].to_f64());
        assert!(master == want, "the same kernel but for where the weight comes from");
        let zeros = weight.iter().filter(|w| **w == 0.0).count();
        assert!(zeros > len / 20, "{zeros} zeros of {len}");
        for i in 0..len {
            assert_eq!(weight[i], dtype.nearest(master[i]), "{dtype:?}, element {i}: the master is {}", master[i]);
        }
    }
}

/// Each of the two neighbours is met as often as it should be, so the mean is the f32 weight.
#[test]
fn rounding_at_random_is_unbiased() {
    let (session, len) = (session(), 1 << 18);
    // From 1, steps down by parts of 2^-8, the distance of bf16 numbers below 1; from -1.5, by parts of 2^-7.
    for (start, ulp, share) in [(1.0, 2f64.powi(-8), 0.25), (1.0, 2f64.powi(-8), 0.9), (-1.5, 2f64.powi(-7), 0.015625)] {
        let op = Sgd { rounding: key(3), ..Sgd::new(DType::Bf16, len, ulp) };
        let constant = |v: f64| HostData::from_f64(DType::Bf16, vec![v; len]);
        let grad = constant(share);
        let share = grad.to_f64()[0];
        let got = run(&session, &op, &[grad, constant(start)])[0].to_f64();
        let moved = got.iter().filter(|w| **w != start).count();
        assert!(got.iter().all(|w| *w == start || *w == start - ulp), "a neighbour that is none");
        // A binomial's standard deviation; five of them are met once in a million.
        let (mean, deviation) = (share * len as f64, (share * (1.0 - share) * len as f64).sqrt());
        assert!((moved as f64 - mean).abs() <= 5.0 * deviation, "{start}: {moved} moved, {mean} ± {deviation} expected");
    }
}

/// Steps that rounding to nearest loses whole add up, in the mean.
#[test]
fn small_steps_are_lost_to_nearest_only() {
    let (session, len, steps) = (session(), 4096, 64);
    let constant = |v: f64| HostData::from_f64(DType::Bf16, vec![v; len]);
    let walk = |rounding: fn(u32) -> Rounding| {
        let mut w = constant(1.0);
        for step in 0..steps {
            let op = Sgd { rounding: rounding(step), ..Sgd::new(DType::Bf16, len, 2f64.powi(-11)) };
            w = run(&session, &op, &[constant(1.0), w]).remove(0);
        }
        w.to_f64().iter().sum::<f64>() / len as f64
    };
    assert_eq!(walk(|_| Rounding::Nearest), 1.0, "an eighth of the distance of two numbers");
    let (mean, want) = (walk(key), 1.0 - f64::from(steps) * 2f64.powi(-11));
    // A step rounds off less than 2^-8, with variance at most 2^-18: 64 steps of 4096 weights.
    let deviation = (f64::from(steps) * 2f64.powi(-18) / len as f64).sqrt();
    assert!((mean - want).abs() <= 5.0 * deviation, "{mean}, {want} ± {deviation} expected");
}

/// Equal averages by three names are the mean; an average of what does not move does not move, however slowly it would.
#[test]
fn equal_averages_are_the_mean_and_constants_stay() {
    let (session, len, n) = (session(), 1003, 20u64);
    let (segments, garbage) = (Segment::one(len), HostData::F32(vec![f32::NAN; len]));
    let weights: Vec<HostData> = (0..n).map(|i| random(DType::F32, len, 100 + i)).collect();
    let mut mean = vec![0.0; len];
    weights.iter().for_each(|w| mean.iter_mut().zip(w.to_f64()).for_each(|(m, w)| *m += w / n as f64));
    type Make = fn(Vec<Segment>, u64) -> Box<dyn Verify>;
    let makes: [Make; 3] = [
        |segments, averaged| Box::new(Swa { dtype: DType::F32, segments, averaged }),
        |segments, updates| Box::new(Ema { dtype: DType::F32, segments, decay: 1.0, warmup: Warmup::Polyak { updates } }),
        |segments, updates| Box::new(Ema { dtype: DType::F32, segments, decay: 1.0, warmup: Warmup::Debiased { updates } }),
    ];
    for make in makes {
        let mut average = garbage.clone();
        for (i, w) in weights.iter().enumerate() {
            average = run(&session, make(segments.clone(), i as u64).as_ref(), &[w.clone(), average]).remove(0);
        }
        for (got, want) in average.to_f64().iter().zip(&mean) {
            // Each update rounds four times, of numbers below 2, and is divided down by those after it.
            assert!((got - want).abs() <= 8.0 * n as f64 * f64::from(f32::EPSILON), "{got}, the mean is {want}");
        }
    }
    for decay in [0.5, 0.9999, 0.999_999_99] {
        let op = Ema { dtype: DType::F32, segments: segments.clone(), decay, warmup: Warmup::None };
        let mut average = weights[0].clone();
        for _ in 0..50 {
            average = run(&session, &op, &[weights[0].clone(), average]).remove(0);
        }
        assert!(average == weights[0], "decay {decay}: a constant moved");
    }
}

/// A NaN whose payload is all ones would carry into a zero.
#[test]
fn a_nan_is_not_rounded_to_a_number() {
    let (session, len) = (session(), 64);
    let op = Sgd { momentum: 0.5, step: 2, rounding: key(0), ..Sgd::new(DType::Bf16, len, 0.1) };
    let spoiled = HostData::F32(vec![f32::from_bits(0x7fff_ffff); len]);
    let out = run(&session, &op, &[random(DType::Bf16, len, 1), random(DType::Bf16, len, 2), spoiled]);
    assert!(out[0].to_f64().iter().all(|w| w.is_nan()), "{:?}", out[0]);
}

/// There and back again: every bit of every weight, whatever it is.
#[test]
fn sam_gives_every_bit_back() {
    let (session, len) = (session(), 5003);
    let mut rng = Rng::new(11);
    for dtype in DType::FLOATS {
        let mut segments = Segment::pack(&[700, 1, 0, 4002], 128);
        segments.push(Segment { start: 4996, len: 7, group: 3 });
        let bytes: Vec<u8> = (0..len * 4).map(|_| rng.word() as u8).take(len * dtype.size() as usize).collect();
        let before = HostData::from_bytes(dtype, &bytes);
        let perturb = SamPerturb { dtype, segments: segments.clone(), rho: 0.1, eps: 0.0, adaptive: None };
        let saved = HostData::from_f64(dtype, vec![0.5; len]);
        let there = run(&session, &perturb, &[random(dtype, len, 2), before.clone(), saved]);
        assert!(there[0] != before && there[1] != before);
        let back = run(&session, &SamRestore { dtype, segments: segments.clone() }, &[there[1].clone(), there[0].clone()]);
        let size = dtype.size() as usize;
        for s in &segments {
            let at = s.start * size..(s.start + s.len) * size;
            assert!(back[0].bytes()[at.clone()] == before.bytes()[at], "{dtype:?}, {s:?}");
        }
        // The gaps of what is saved are nobody's.
        let gap = 700 * size..768 * size;
        assert!(there[1].to_f64()[700..768].iter().all(|v| *v == 0.5), "{:?}", &there[1].bytes()[gap]);
    }
}

/// The weights move by rho in all, along the gradient, from the least numbers to the largest; without a gradient they stay.
#[test]
fn sam_moves_by_rho_in_all() {
    let (session, len) = (session(), 10_007);
    let zeros = || HostData::F32(vec![0.0; len]);
    for exponent in [-120, -90, -47, -23, 0, 23, 45, 90, 126] {
        let grad: Vec<f64> = random(DType::F32, len, 4).to_f64().iter().map(|g| g * 2f64.powi(exponent)).collect();
        let op = SamPerturb { dtype: DType::F32, segments: Segment::one(len), rho: 0.5, eps: 0.0, adaptive: None };
        let moved = run(&session, &op, &[HostData::from_f64(DType::F32, grad.clone()), zeros(), zeros()])[0].to_f64();
        let norm = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
        let along = moved.iter().zip(&grad).map(|(e, g)| e * g).sum::<f64>() / norm(&moved) / norm(&grad);
        assert!((norm(&moved) - 0.5).abs() < 1e-5 && (along - 1.0).abs() < 1e-6, "2^{exponent}: {} {along}", norm(&moved));
    }
    for adaptive in [None, Some(0.01), Some(0.0)] {
        let op = SamPerturb { dtype: DType::F32, segments: Segment::one(len), rho: 0.5, eps: 0.0, adaptive };
        let w = random(DType::F32, len, 5);
        let stayed = run(&session, &op, &[zeros(), w.clone(), zeros()]);
        assert!(stayed[0] == w && stayed[1] == w, "{adaptive:?}");
        // ASAM: nothing moves that is 0 itself, where η is 0.
        let still = run(&session, &op, &[w.clone(), zeros(), zeros()]);
        assert_eq!(still[0] == zeros(), adaptive == Some(0.0));
    }
}

/// The half behind an odd number of halves is in the same word, and someone else's.
#[test]
fn sam_touches_no_half_behind_the_end() {
    let (session, len, theirs) = (session(), 4003usize, [1.5, 2.5, 3.5]);
    for dtype in [DType::F16, DType::Bf16] {
        let segments = Segment::one(len);
        let ops: [Box<dyn Verify>; 2] = [
            Box::new(SamPerturb { dtype, segments: segments.clone(), rho: 0.1, eps: 0.0, adaptive: Some(0.1) }),
            Box::new(SamRestore { dtype, segments }),
        ];
        for op in ops {
            let plan = session.gpu().plan(op.as_ref()).expect("a valid op");
            let longer = |i: usize| {
                let mut values = random(dtype, len, i as u64).to_f64();
                values.push(theirs[i]);
                session.upload(&HostData::from_f64(dtype, values)).expect("a small buffer")
            };
            let buffers: Vec<_> = (0..plan.args().len()).map(longer).collect();
            let scratch = session.empty(DType::U32, plan.scratch_size() as usize / 4 + 1).expect("a small buffer");
            let slices: Vec<_> = buffers.iter().map(|b| b.slice(..)).collect();
            let bound = plan.bind(&slices[..1], &slices[1..], Some(scratch.slice(..))).expect("fitting buffers");
            let mut encoder = session.device().create_command_encoder(&Default::default());
            bound.record(&mut encoder.begin_compute_pass(&Default::default()));
            session.queue().submit([encoder.finish()]);
            for (i, buffer) in buffers.iter().enumerate() {
                let after = session.download(buffer, dtype, len + 1).expect("a readable buffer").to_f64();
                assert_eq!(after[len], theirs[i], "{}, {}", op.name(), plan.args()[i].name);
            }
        }
    }
}
