//! Models side by side: the mask of each is that of `dropout`, whoever its neighbours are; samples drawn with replacement.
use super::{KEY, KNOWN, dropout, mask, sessions};
use crate::common::session;
use ridgepole::{ops::*, *};

const ROWS: usize = 37;
const WIDTH: usize = 44;

fn layer(models: usize, key: Key) -> BatchedReluDropout {
    BatchedReluDropout { models, rows: ROWS, width: WIDTH, key, training: true }
}

/// A model's part of f32\[rows, models, width].
fn part(all: &HostData, models: usize, m: usize) -> Vec<f32> {
    let HostData::F32(v) = all else { panic!("not f32") };
    v.chunks(WIDTH).enumerate().filter(|(place, _)| place % models == m).flat_map(|(_, row)| row.to_vec()).collect()
}

#[test]
fn masks_of_models_are_those_of_dropout() {
    // Ends, halves of a unit, numbers whose 1 - p is rounded in f64, and ordinary ones.
    let unit = 2f32.powi(-32);
    let tiny = [0.5 * unit, 0.5 * unit * (1.0 + f32::EPSILON), 0.5 * unit * (1.0 + 4.0 * f32::EPSILON), 2.5 * unit, 0.75 * unit];
    let p: Vec<f32> = [0.0, 1.0, 0.5, 0.1, 0.3, 0.999, 1.0 - f32::EPSILON / 2.0, 1e-9].into_iter().chain(tiny).collect();
    for session in sessions() {
        for first_element in [0, 52, (1 << 34) - 400] {
            let key = Key { first_element, stream: 3, ..KEY };
            let op = layer(p.len(), key);
            let x = HostData::F32(vec![1.0; ROWS * p.len() * WIDTH]);
            let y = session.run(&op, &[x, p.clone().into()]).expect("it runs");
            for (m, &p_m) in p.iter().enumerate() {
                let space = Space::flat(ROWS * WIDTH);
                let single = Dropout { bits: Bits::ThirtyTwo, ..dropout(space, f64::from(p_m), key) };
                let kept: Vec<bool> = part(&y[0], p.len(), m).iter().map(|y| *y != 0.0).collect();
                assert_eq!(kept, mask(&session, &single), "p = {p_m:e}, from {first_element}");
            }
        }
    }
}

/// A p whose T is one more than a word that is drawn keeps it, and one whose T is the word drops it.
#[test]
fn a_word_at_the_threshold_decides() {
    let (session, key) = (session(), Key { first_element: 0, ..KEY });
    let word = |i: usize| cpu::philox([i as u32 / 4, 0, key.step, key.stream], [key.seed as u32, (key.seed >> 32) as u32])[i % 4];
    // f32 holds 1 - T/2^32 where T is a multiple of 2^8.
    let last = |bits: u32| (0..ROWS * WIDTH).filter(|i| word(*i) & 0xff == bits && word(*i) < u32::MAX - 255).collect::<Vec<_>>();
    let (kept, dropped) = (last(0xff), last(0));
    assert!(!kept.is_empty() && !dropped.is_empty());
    let at = |t: u64| ((1.0 - t as f64 / 2f64.powi(32)) as f32, t);
    let p: Vec<(f32, u64)> =
        kept.iter().map(|i| at(u64::from(word(*i)) + 1)).chain(dropped.iter().map(|i| at(word(*i).into()))).collect();
    assert!(p.iter().all(|(p, t)| 2f64.powi(32) * (1.0 - f64::from(*p)) == *t as f64));
    let x = HostData::F32(vec![1.0; ROWS * p.len() * WIDTH]);
    let all: Vec<f32> = p.iter().map(|(p, _)| *p).collect();
    let y = session.run(&layer(p.len(), key), &[x, all.into()]).expect("it runs");
    for (m, i) in kept.iter().chain(&dropped).enumerate() {
        assert_eq!(part(&y[0], p.len(), m)[*i] != 0.0, m < kept.len(), "decision {i}, word {:#x}", word(*i));
    }
}

/// T by the kernel's arithmetic in f32, on numbers whose last bits decide.
#[test]
fn thresholds_are_exact() {
    let threshold = |p: f32| {
        let scaled = p * 4294967296.0;
        let whole = scaled.min(4294967040.0) as u32;
        let part = scaled - whole as f32;
        if p < 1.0 { (1u64 << 32) - u64::from(whole) - u64::from(part > 0.50000024) } else { 0 }
    };
    let exact = |p: f32| (2f64.powi(32) * (1.0 - f64::from(p))).round() as u64;
    let mut rng = Rng::new(4);
    for _ in 0..1_000_000 {
        let near = 2f32.powi(-(rng.word() as i32 & 63));
        let p = near * (1.0 + rng.unit() as f32) * 0.5;
        assert_eq!(threshold(p), exact(p), "{p:e}");
    }
    for half in 0..4096u32 {
        let middle = (half as f32 + 0.5) * 2f32.powi(-32);
        for steps in -8..=8i32 {
            let p = f32::from_bits(middle.to_bits().wrapping_add_signed(steps));
            assert_eq!(threshold(p), exact(p), "{p:e}");
        }
    }
    for p in [0.0, 1.0, f32::from_bits(1), 1.0 - f32::EPSILON / 2.0] {
        assert_eq!(threshold(p), exact(p), "{p:e}");
    }
}

#[test]
fn a_model_alone_is_what_it_is_among_others() {
    // On every kind of device that this one can play: how sums are shared out differs between them.
    for (mode, caps) in check::modes(session().device()) {
        // These ops bind their buffers whole.
        if caps.limits.max_storage_buffer_binding_size < 1 << 20 {
            continue;
        }
        alone_among_others(&session().with_caps(caps), mode);
    }
}

fn alone_among_others(session: &Session, mode: &str) {
    let (models, mut rng) = (70, Rng::new(5));
    let p: Vec<f32> = (0..models).map(|m| m as f32 / 80.0).collect();
    let x: Vec<f32> = (0..ROWS * models * WIDTH).map(|_| (2.0 * rng.unit() - 1.0) as f32).collect();
    let all = session.run(&layer(models, KEY), &[x.clone().into(), p.clone().into()]).expect("it runs");
    let columns = 10;
    let loss = |models| BatchedLoss { loss: BatchedLossKind::CrossEntropy, models, rows: ROWS * WIDTH / 12, columns };
    let (rows, padded) = (loss(1).rows, loss(1).padded());
    let z = |x: &[f32], models: usize| x[..rows * models * padded].to_vec();
    let weight: Vec<f32> = (0..rows * models).map(|_| rng.unit() as f32).collect();
    let losses =
        session.run(&loss(models), &[z(&x, models).into(), z(&x, models).into(), weight.clone().into()]).expect("it runs");
    for m in [0, 1, 33, 69] {
        let own = HostData::F32(part(&HostData::F32(x.clone()), models, m));
        let alone = session.run(&layer(1, KEY), &[own, vec![p[m]].into()]).expect("it runs");
        assert_eq!(alone[0], HostData::F32(part(&all[0], models, m)), "model {m}, {mode}");
        let own: Vec<f32> = z(&x, models).chunks(padded).skip(m).step_by(models).flatten().copied().collect();
        let w: Vec<f32> = weight.iter().skip(m).step_by(models).copied().collect();
        let alone = session.run(&loss(1), &[own.clone().into(), own.into(), w.into()]).expect("it runs");
        let grad: Vec<f64> = losses[0].to_f64().chunks(padded).skip(m).step_by(models).flatten().copied().collect();
        assert_eq!(alone[0].to_f64(), grad, "gradient of model {m}, {mode}");
        for result in 1..3 {
            let of = |data: &HostData, m: usize| data.to_f64()[m].to_bits();
            assert_eq!(of(&alone[result], 0), of(&losses[result], m), "result {result} of model {m}, {mode}");
        }
    }
}

#[test]
fn one_plan_takes_another_key_and_ends_training() {
    let session = session();
    let (ones, p) = (HostData::F32(vec![1.0; ROWS * 2 * WIDTH]), HostData::F32(vec![0.5, f32::NAN]));
    let first = session.run(&layer(2, KEY), &[ones.clone(), p.clone()]).expect("it runs");
    let next = session.run(&layer(2, Key { step: KEY.step + 1, ..KEY }), &[ones.clone(), p.clone()]).expect("it runs");
    assert_ne!(part(&first[0], 2, 0), part(&next[0], 2, 0));
    assert!(part(&first[0], 2, 1).iter().all(|y| y.is_nan()), "a p that is none");
    let after = BatchedReluDropout { training: false, ..layer(2, KEY) };
    let y = session.run(&after, &[ones.clone(), p]).expect("it runs");
    assert_eq!(y[0], ones, "p is not looked at after training");
    let plan = session.gpu().plan(&layer(2, KEY)).expect("valid");
    for op in [layer(2, Key { step: 1, stream: 4, seed: 9, first_element: 8 }), after] {
        plan.update(session.queue(), &op).expect("only scalars");
    }
    let picks = BootstrapIndices { rows: 10, picks: 10, sets: 3, key: KEY };
    let plan = session.gpu().plan(&picks).expect("valid");
    plan.update(session.queue(), &BootstrapIndices { rows: 7, key: Key::default(), ..picks }).expect("only scalars");
    let stop = EarlyStopping { models: 3, parts: 1, epoch: 0, patience: 4, min_delta: 0.0 };
    let plan = session.gpu().plan(&stop).expect("valid");
    plan.update(session.queue(), &EarlyStopping { epoch: 1, ..stop }).expect("only scalars");
}

#[test]
fn picks_are_known_answers() {
    let wide = |low: u32, high: u32| u64::from(high) << 32 | u64::from(low);
    for (counter, key, block) in KNOWN {
        // The last numbers there are would not have room for a fourth pick of a first element.
        let Some(first_element) = wide(counter[0], counter[1]).checked_mul(4) else { continue };
        let key = Key { seed: wide(key[0], key[1]), step: counter[2], stream: counter[3], first_element };
        let want: Vec<u32> = block.iter().map(|w| ((u64::from(*w) * 1797) >> 32) as u32).collect();
        for session in sessions() {
            let op = BootstrapIndices { rows: 1797, picks: 4, sets: 1, key };
            assert_eq!(session.run(&op, &[]), Ok(vec![HostData::U32(want.clone())]));
        }
    }
    // Set 1 begins at block 2^32: the known block with the counter (0, 1, 0, 0).
    let key = Key { seed: 1, ..Key::default() };
    let out = session().run(&BootstrapIndices { rows: 1 << 16, picks: 1, sets: 2, key }, &[]).expect("it runs");
    assert_eq!(out[0].words().expect("words")[1], KNOWN[4].2[0] >> 16);
}

/// Columns of \[picks, sets].
fn drawn(session: &Session, rows: usize, picks: usize, sets: usize, key: Key) -> Vec<Vec<u32>> {
    let out = session.run(&BootstrapIndices { rows, picks, sets, key }, &[]).expect("it runs");
    let words = out[0].words().expect("words");
    (0..sets).map(|s| words.iter().skip(s).step_by(sets).copied().collect()).collect()
}

#[test]
fn a_set_depends_on_its_number_alone() {
    let session = session();
    let all = drawn(&session, 1797, 1001, 40, KEY);
    let fewer = drawn(&session, 1797, 250, 7, KEY);
    for s in 0..7 {
        assert_eq!(all[s][..250], fewer[s], "set {s}");
    }
    let later = drawn(&session, 1797, 1001, 9, Key { first_element: 31 << 34, ..KEY });
    assert_eq!(all[31..], later);
}

#[test]
fn rows_are_uniform_and_sets_independent() {
    let (session, rows, sets) = (session(), 500, 400);
    let all = drawn(&session, rows, rows, sets, KEY);
    assert!(all.iter().flatten().all(|i| (*i as usize) < rows));
    // χ² of n cells has mean n - 1 and variance 2·(n - 1).
    let off = |counts: &[f64], total: f64| {
        let each = total / counts.len() as f64;
        let chi2: f64 = counts.iter().map(|c| (c - each) * (c - each) / each).sum();
        let free = counts.len() as f64 - 1.0;
        (chi2 - free) / (2.0 * free).sqrt()
    };
    let mut counts = vec![0.0; rows];
    all.iter().flatten().for_each(|i| counts[*i as usize] += 1.0);
    let sigma = off(&counts, (rows * sets) as f64);
    assert!(sigma.abs() < 5.0, "rows: {sigma:.1} sigma");
    // Pairs of picks: the same pick of neighbouring sets, neighbouring picks of a set, in ten classes each.
    let class = |i: u32| i as usize / (rows / 10);
    let mut pairs = [vec![0.0; 100], vec![0.0; 100]];
    for s in 0..sets - 1 {
        for i in 0..rows - 1 {
            pairs[0][10 * class(all[s][i]) + class(all[s + 1][i])] += 1.0;
            pairs[1][10 * class(all[s][i]) + class(all[s][i + 1])] += 1.0;
        }
    }
    for (what, counts) in ["sets", "picks"].iter().zip(&pairs) {
        let sigma = off(counts, ((sets - 1) * (rows - 1)) as f64);
        assert!(sigma.abs() < 5.0, "neighbouring {what}: {sigma:.1} sigma");
    }
    // Distinct rows: a share of 1 - (1 - 1/n)^n, and the variance of the number of empty cells.
    let n = rows as f64;
    let (one_empty, two_empty) = ((1.0 - 1.0 / n).powf(n), (1.0 - 2.0 / n).powf(n));
    let variance = n * (n - 1.0) * two_empty + n * one_empty - n * n * one_empty * one_empty;
    let distinct = |set: &Vec<u32>| set.iter().collect::<std::collections::HashSet<_>>().len() as f64;
    let mean = all.iter().map(distinct).sum::<f64>() / sets as f64;
    let sigma = (mean - n * (1.0 - one_empty)) / (variance / sets as f64).sqrt();
    assert!(sigma.abs() < 5.0 && (mean / n - (1.0 - (-1f64).exp())).abs() < 2e-3, "{mean} distinct of {n}: {sigma:.1} sigma");
}
