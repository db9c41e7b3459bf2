//! The group lasso: its gradient against differences of its value, its proximal step as the minimiser that it is.
use super::{H, TOLERANCE, draw, f32s, gpu_near, near, slope};
use ridgepole::{DType, GroupPenalty, GroupWeighting, HostData, Matrix, Rng, Session, Unit, cpu, ops};

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
