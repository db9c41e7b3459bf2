//! What penalty and prox promise beyond the cross-check: bits, windows, and that steps lead to the minimum.
use crate::common::session;
use ridgepole::{ops::*, *};

fn words(data: &HostData) -> Vec<u32> {
    let size = data.dtype().size() as usize;
    let word = |b: &[u8]| b.iter().rev().fold(0, |w, &b| w << 8 | u32::from(b));
    data.bytes().chunks(size).map(word).collect()
}

#[test]
fn zeros_are_positive_and_counted_once() {
    let s = session();
    let values = [-0.0, 0.0, 0.25, -0.25, -0.125, 0.5, -0.5, f64::INFINITY, f64::NEG_INFINITY];
    for dtype in DType::FLOATS {
        for (l1, left) in [(0.25, [0.0, 0.0, 0.0, 0.0, 0.0, 0.25, -0.25]), (0.0, [0.0, 0.0, 0.25, -0.25, -0.125, 0.5, -0.5])] {
            let groups = vec![ElasticNet::l1(l1)];
            let op = Prox { dtype, segments: Segment::one(values.len()), groups, step: 1.0 };
            let out = s.run(&op, &[HostData::from_f64(dtype, values)]).unwrap();
            let want = HostData::from_f64(dtype, left.into_iter().chain([f64::INFINITY, f64::NEG_INFINITY]));
            assert_eq!(words(&out[0]), words(&want), "{dtype:?}, λ1 = {l1}");
            assert_eq!(out[1].words(), Some(&[left.iter().filter(|w| **w == 0.0).count() as u32][..]));
        }
    }
}

#[test]
fn the_value_does_not_depend_on_windows_or_pieces() {
    let segments = vec![Segment { start: 0, len: 70_001, group: 0 }, Segment { start: 70_004, len: 50_003, group: 1 }];
    let groups = vec![ElasticNet::new(0.1, 0.2), ElasticNet::weight_decay(0.3)];
    let op = Penalty::new(DType::F32, segments, groups);
    let s = session();
    let input = op.fill(&op.args()[0], &mut Rng::new(5), Pattern::Ordinary);
    let whole = s.run(&op, std::slice::from_ref(&input)).unwrap();
    let mut caps = s.gpu().caps().clone();
    caps.limits.max_storage_buffer_binding_size = 1 << 16;
    let cut = s.with_caps(caps).run(&op, &[input]).unwrap();
    assert_eq!(whole[0].bytes(), cut[0].bytes());
}

#[test]
fn proximal_steps_reach_the_minimum_that_the_penalty_asks_for() {
    // Minimise ½(w - a)² + λ1·|w| + λ2·w²: the minimum is soft(a, λ1) / (1 + 2·λ2), with exact zeros where |a| ≤ λ1.
    let s = session();
    let (n, step, net) = (1000, 0.5, ElasticNet::new(0.3, 0.25));
    let a: Vec<f32> = (0..n).map(|i| (i as f32 / n as f32) * 2.0 - 1.0).collect();
    let op = Prox { dtype: DType::F32, segments: Segment::one(n), groups: vec![net], step };
    let mut w = vec![1.0f32; n];
    let mut zeros = 0;
    for _ in 0..60 {
        let descended: Vec<f32> = w.iter().zip(&a).map(|(w, a)| w - step as f32 * (w - a)).collect();
        let out = s.run(&op, &[descended.into()]).unwrap();
        zeros = out[1].words().expect("a count")[0];
        w = out[0].to_f64().iter().map(|&x| x as f32).collect();
    }
    for (w, a) in w.iter().zip(&a) {
        let want = if a.abs() <= 0.3 { 0.0 } else { a.signum() * (a.abs() - 0.3) / 1.5 };
        assert!((w - want).abs() <= 1e-6, "from {a}: {w}, not {want}");
    }
    assert_eq!(zeros as usize, w.iter().filter(|w| **w == 0.0).count());
    assert!((290..=310).contains(&zeros), "{zeros} zeros");
}

/// The one value that a reference gives for each element of its first output.
fn values(op: &dyn Verify, args: &[HostData]) -> Vec<f64> {
    match op.reference(args).remove(0) {
        Expected::Within { value, .. } => value,
        Expected::Exact(data) => data.to_f64(),
    }
}

#[test]
fn the_gradient_is_the_slope_of_the_value() {
    // Multiples of 2^-6 moved by 2^-10: exact in f32, and the central difference of a parabola is its slope.
    let weights: Vec<f32> = (1..40).map(|i| (i as f32 - 20.5) / 64.0).collect();
    let n = weights.len();
    let segments = vec![Segment { start: 0, len: 17, group: 0 }, Segment { start: 20, len: n - 20, group: 1 }];
    let groups = vec![ElasticNet::new(0.3, 0.7), ElasticNet { l2_form: L2Form::Half, ..ElasticNet::new(0.2, 0.9) }];
    let value = Penalty::new(DType::F32, segments.clone(), groups.clone());
    let gradient = PenaltyGrad::new(DType::F32, segments, groups);
    let slopes = values(&gradient, &[weights.clone().into(), vec![0.0; n].into()]);
    for i in 0..n {
        let at = |h: f32| {
            let mut w = weights.clone();
            w[i] += h;
            values(&value, &[w.into(), vec![0.0].into()])[0]
        };
        let h = 1.0 / 1024.0;
        let difference = (at(h) - at(-h)) / (2.0 * f64::from(h));
        assert!((difference - slopes[i]).abs() < 1e-10, "element {i}: {difference}, not {}", slopes[i]);
    }
}

#[test]
fn a_sum_of_millions_of_terms_is_good_to_a_few_ulp() {
    let op = Penalty::new(DType::F32, Segment::one(4_000_003), vec![ElasticNet::new(0.1, 0.2)]);
    let input = op.fill(&op.args()[0], &mut Rng::new(9), Pattern::Ordinary);
    let want = values(&op, &[input.clone(), vec![0.0].into()])[0];
    let got = session().run(&op, &[input]).unwrap()[0].to_f64()[0];
    // What is promised for any data is some 220 ulp (`Penalty`); errors of either sign cancel.
    assert!((got - want).abs() <= 8.0 * DType::F32.epsilon() * want, "{got}, not {want}");
}
