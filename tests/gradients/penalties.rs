//! Penalties: gradients against differences of their values, proximal steps as the minimisers that they are.
use super::*;
use ridgepole::{ElasticNet, Gram, GroupPenalty, GroupWeighting, Matrix, Per, Segment, Unit};

const KINDS: [ElasticNet; 4] = [
    ElasticNet { l1: 0.5, ..ElasticNet::NONE },
    ElasticNet { l2: 0.3, ..ElasticNet::NONE },
    ElasticNet { l2: 0.3, l2_form: ridgepole::L2Form::Half, ..ElasticNet::NONE },
    ElasticNet { l1: 0.5, l2: 0.3, l2_form: ridgepole::L2Form::Sum },
];

/// Two tensors of different groups with a gap between.
fn segments() -> Vec<Segment> {
    vec![Segment { start: 0, len: 37, group: 0 }, Segment { start: 40, len: 21, group: 1 }]
}

#[test]
fn penalty_grad_is_the_derivative_of_penalty() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(1));
    for k in 0..4 {
        let groups = vec![KINDS[k], KINDS[(k + 1) % 4]];
        let mut w: Vec<f64> = draw(&mut rng, 61, -1.0, 1.0).iter().map(|v| if v.abs() < 3.0 * H { 0.5 } else { *v }).collect();
        // At the kink, the differences on both sides cancel: sign(0) = 0.
        (w[5], w[45]) = (0.0, -0.0);
        let grad = draw(&mut rng, 61, -1.0, 1.0);
        let mut want = grad.clone();
        for s in segments() {
            let g = &groups[s.group];
            for i in s.start..s.start + s.len {
                let d = slope(w[i], |w| cpu::penalty(g.l1, g.square_factor(), w));
                near("penalty_grad", &[cpu::penalty_grad(g.l1, g.slope(), w[i])], &[d], |_| TOLERANCE);
                want[i] += d;
            }
        }
        let op = ops::PenaltyGrad::new(DType::F32, segments(), groups);
        gpu_near(&session, &op, &[f32s(&w), f32s(&grad)], &[want], |_, _| 0.0);
    }
}

#[test]
fn penalty_grad_per_sample_is_the_derivative_of_penalty_per_sample() {
    let (session, mut rng, batch) = (Session::new().expect("an adapter"), Rng::new(41), 7);
    let groups = vec![KINDS[3], KINDS[2]];
    let x: Vec<f64> = draw(&mut rng, 61, -1.0, 1.0).iter().map(|v| if v.abs() < 3.0 * H { 0.5 } else { *v }).collect();
    let grad = draw(&mut rng, 61, -1.0, 1.0);
    // The whole value, as the op's own reference has it: the division is part of what is differentiated.
    let value = ops::Penalty { per: Per::Batch(batch), ..ops::Penalty::new(DType::F32, segments(), groups.clone()) };
    let omega = |i: usize, v: f64| {
        let mut moved = x.clone();
        moved[i] = v;
        segments().iter().fold(0.0, |sum, s| {
            let g = &groups[s.group];
            let terms = moved[s.start..s.start + s.len].iter().map(|&x| cpu::penalty(g.l1, g.square_factor(), x));
            sum + terms.sum::<f64>() / batch as f64
        })
    };
    let Expected::Within { value: whole, .. } = &value.reference(&[f32s(&x), f32s(&[0.0])])[0] else { panic!("a float") };
    near("penalty per sample", whole, &[omega(0, x[0])], |_| TOLERANCE);
    let mut want = grad.clone();
    for i in segments().iter().flat_map(|s| s.start..s.start + s.len) {
        want[i] += slope(x[i], |v| omega(i, v));
    }
    let op = ops::PenaltyGrad { per: Per::Batch(batch), ..ops::PenaltyGrad::new(DType::F32, segments(), groups) };
    gpu_near(&session, &op, &[f32s(&x), f32s(&grad)], &[want], |_, _| 0.0);
}

#[test]
fn prox_minimises_half_the_squared_distance_plus_the_penalty() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(2));
    for step in [0.0, 0.3, 1.5] {
        for k in 0..4 {
            let groups = vec![KINDS[k], KINDS[(k + 1) % 4]];
            let w = draw(&mut rng, 61, -2.0, 2.0);
            let op = ops::Prox { dtype: DType::F32, segments: segments(), groups: groups.clone(), step };
            let mut want = w.clone();
            let mut zeros = 0.0;
            for s in segments() {
                let g = &groups[s.group];
                for i in s.start..s.start + s.len {
                    let v = cpu::prox(step * g.l1, 1.0 + step * g.slope(), w[i]);
                    let cost = |v: f64| 0.5 * (v - w[i]).powi(2) + step * cpu::penalty(g.l1, g.square_factor(), v);
                    if v.abs() > 2.0 * H {
                        near("prox: a smooth minimum is flat", &[slope(v, cost)], &[0.0], |_| TOLERANCE);
                    }
                    // The cost is convex: no lower neighbour, no lower point anywhere. At a minimum of curvature at least 1
                    // a point H away costs at least H²/2 more.
                    for other in [v - H, v + H] {
                        assert!(cost(other) >= cost(v) + H * H / 2.0 * (1.0 - 1e-6), "{op:?}: {} is better than {v}", other);
                    }
                    zeros += f64::from(u8::from(v == 0.0));
                    want[i] = v;
                }
            }
            // Threshold and divisor are f32 numbers on the GPU and in its reference: half an ulp of the old weight.
            let slack = |n: usize, i: usize| if n == 0 { w[i].abs() * f64::from(f32::EPSILON) / 2.0 } else { 0.0 };
            gpu_near(&session, &op, &[f32s(&w), HostData::U32(vec![0])], &[want, vec![zeros]], slack);
        }
    }
}

fn kinds() -> Vec<GroupPenalty> {
    vec![
        GroupPenalty::new(0.4),
        GroupPenalty { lambda: 0.3, l1: 0.2, weighting: GroupWeighting::One },
        GroupPenalty { lambda: 0.0, l1: 0.2, weighting: GroupWeighting::RootSize },
    ]
}

/// Rows, columns and a whole matrix, with gaps between.
fn matrices() -> Vec<Matrix> {
    let all = Matrix::pack(&[(3, 5, Unit::Rows), (4, 3, Unit::Columns), (1, 7, Unit::Whole), (2, 3, Unit::Columns)], 4);
    all.into_iter().enumerate().map(|(i, m)| Matrix { group: i % 3, ..m }).collect()
}

/// The places of each unit's elements, and its penalty's factors.
fn units(groups: &[GroupPenalty]) -> Vec<(Vec<usize>, f64, f64)> {
    let mut out = vec![];
    for m in matrices() {
        let (units, len) = match m.unit {
            Unit::Rows => (m.rows, m.cols),
            Unit::Columns => (m.cols, m.rows),
            Unit::Whole => (1, m.rows * m.cols),
        };
        let place = |u: usize, k: usize| m.start + if m.unit == Unit::Columns { k * m.cols + u } else { u * len + k };
        let group = groups[m.group];
        let root = if group.weighting == GroupWeighting::RootSize { (len as f64).sqrt() } else { 1.0 };
        out.extend((0..units).map(|u| ((0..len).map(|k| place(u, k)).collect(), group.lambda * root, group.l1)));
    }
    out
}

#[test]
fn group_lasso_grad_is_the_derivative_of_group_lasso() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(31));
    let len = Matrix::arena_len(&matrices());
    for shift in 0..3 {
        let mut groups = kinds();
        groups.rotate_left(shift);
        // The fifth derivative of a norm is 45 / ‖w‖⁴ at most, so what the differences leave out is 1.5e-12 / ‖w‖⁴: norms of 0.28 at least.
        let mut w: Vec<f64> = draw(&mut rng, len, -1.0, 1.0).iter().map(|v| if v.abs() < 0.2 { 0.5 } else { *v }).collect();
        // A unit of zeros: the differences on both sides cancel.
        (0..5).for_each(|i| w[i] = 0.0);
        let grad = draw(&mut rng, len, -1.0, 1.0);
        let mut want = grad.clone();
        let mut value = 0.0;
        for (unit, strength, l1) in units(&groups) {
            let values: Vec<f64> = unit.iter().map(|&i| w[i]).collect();
            value += cpu::group_lasso(strength, l1, &values);
            let exact = cpu::group_lasso_grad(strength, l1, &values);
            for (k, &i) in unit.iter().enumerate() {
                let moved = |v: f64| {
                    let mut values = values.clone();
                    values[k] = v;
                    cpu::group_lasso(strength, l1, &values)
                };
                let d = slope(w[i], moved);
                near("group_lasso_grad", &[exact[k]], &[d], |_| TOLERANCE);
                want[i] += d;
            }
        }
        let op = ops::GroupLasso { dtype: DType::F32, matrices: matrices(), groups: groups.clone() };
        gpu_near(&session, &op, &[f32s(&w), f32s(&[0.0])], &[vec![value]], |_, _| 0.0);
        let op = ops::GroupLassoGrad { dtype: DType::F32, matrices: matrices(), groups };
        gpu_near(&session, &op, &[f32s(&w), f32s(&grad)], &[want], |_, _| 0.0);
    }
}

#[test]
fn group_lasso_prox_minimises_half_the_squared_distance_plus_the_penalty() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(32));
    let len = Matrix::arena_len(&matrices());
    for (step, shift) in [(0.0, 0), (0.5, 0), (0.5, 1), (2.0, 2), (0.8, 2)] {
        let mut groups = kinds();
        groups.rotate_left(shift);
        let w = draw(&mut rng, len, -1.0, 1.0);
        let (mut want, mut zeros) = (w.clone(), 0.0);
        let op = ops::GroupLassoProx { dtype: DType::F32, matrices: matrices(), groups: groups.clone(), step };
        for (unit, strength, l1) in units(&groups) {
            let before: Vec<f64> = unit.iter().map(|&i| w[i]).collect();
            let v = cpu::group_lasso_prox(step * strength, step * l1, &before);
            let cost = |v: &[f64]| {
                let distance: f64 = v.iter().zip(&before).map(|(a, b)| (a - b).powi(2)).sum();
                0.5 * distance + step * cpu::group_lasso(strength, l1, v)
            };
            // The cost is convex, with curvature at least 1: at a minimum any point H away costs at least H²/2 more.
            let least = cost(&v);
            for n in 0..200 {
                let mut way: Vec<f64> = draw(&mut rng, v.len(), -1.0, 1.0);
                if n < 2 * v.len() {
                    // Along one axis.
                    way = vec![0.0; v.len()];
                    way[n / 2] = [1.0, -1.0][n % 2];
                }
                let size = way.iter().map(|d| d * d).sum::<f64>().sqrt();
                let other: Vec<f64> = v.iter().zip(&way).map(|(v, d)| v + H * d / size).collect();
                assert!(cost(&other) >= least + H * H / 2.0 * (1.0 - 1e-6), "{op:?}: {other:?} is better than {v:?}");
            }
            zeros += f64::from(u8::from(v.iter().all(|v| *v == 0.0)));
            unit.iter().zip(v).for_each(|(&i, v)| want[i] = v);
        }
        // Thresholds are f32 numbers on the GPU and in its reference: half an ulp of each; of the first, by the norm's direction.
        let slack = |n: usize, _: usize| if n == 0 { 4.0 * step * f64::from(f32::EPSILON) } else { 0.0 };
        gpu_near(&session, &op, &[f32s(&w), HostData::U32(vec![0])], &[want, vec![zeros]], slack);
    }
}

/// The vectors of a weight, as the op's documentation has them.
fn vectors(w: &[f64], cols: usize, by_row: bool) -> Vec<Vec<f64>> {
    let rows: Vec<Vec<f64>> = w.chunks(cols).map(<[f64]>::to_vec).collect();
    if by_row { rows } else { (0..cols).map(|c| rows.iter().map(|r| r[c]).collect()).collect() }
}

#[test]
fn orthogonal_penalty_grad_is_the_derivative_of_orthogonal_penalty() {
    let (session, mut rng, lambda) = (Session::new().expect("an adapter"), Rng::new(51), 0.25);
    for (rows, cols, gram, by_row) in [
        (3, 8, Gram::Rows, true),
        (5, 3, Gram::Rows, true),
        (3, 5, Gram::Columns, false),
        (6, 4, Gram::Smaller, false),
        (4, 4, Gram::Smaller, true),
    ] {
        let (w, grad) = (draw(&mut rng, rows * cols, -0.6, 0.6), draw(&mut rng, rows * cols, -1.0, 1.0));
        let value = |w: &[f64]| lambda * cpu::orthogonal_penalty(&vectors(w, cols, by_row));
        let op = ops::OrthogonalPenalty { gram, ..ops::OrthogonalPenalty::new(DType::F32, rows, cols, lambda) };
        let Expected::Within { value: whole, .. } = &op.reference(&[f32s(&w), f32s(&[0.0])])[0] else { panic!("a float") };
        near("orthogonal_penalty", whole, &[value(&w)], |_| TOLERANCE);
        let want: Vec<f64> = gradient(&w, value).iter().zip(&grad).map(|(d, g)| g + d).collect();
        let op = ops::OrthogonalPenaltyGrad { gram, ..ops::OrthogonalPenaltyGrad::new(DType::F32, rows, cols, lambda) };
        let data = [f32s(&w), f32s(&grad)];
        let Expected::Within { value: reference, .. } = &op.reference(&data)[0] else { panic!("a float") };
        near("orthogonal_penalty_grad", reference, &want, |_| TOLERANCE);
        gpu_near(&session, &op, &data, &[want], |_, _| 0.0);
    }
}
