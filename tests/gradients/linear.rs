//! Linear and logistic models: residuals and gradients against differences of the loss, a step against what it minimises.
use super::{H, TOLERANCE, draw, f32s, gpu_near, near, slope};
use ridgepole::{HostData, LinearModel, Rng, Session, cpu, ops};

const ROWS: usize = 23;
const FEATURES: usize = 5;
const SETS: usize = 2;
const PER_SET: usize = 3;
const MODELS: usize = SETS * PER_SET;

/// Σ w·loss of one model.
fn loss(model: LinearModel, x: &[f64], y: &[f64], w: &[f64], coef: &[f64]) -> f64 {
    let row = |i: usize| {
        let z: f64 = x[i * FEATURES..][..FEATURES].iter().zip(coef).map(|(x, b)| x * b).sum();
        w[i] * match model {
            LinearModel::Linear => 0.5 * (y[i] - z) * (y[i] - z),
            LinearModel::Logistic => z.exp().ln_1p() - y[i] * z,
        }
    };
    (0..ROWS).map(row).sum()
}

#[test]
fn gradients_are_the_derivatives_of_the_loss() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(21));
    for model in [LinearModel::Linear, LinearModel::Logistic] {
        let x = draw(&mut rng, ROWS * FEATURES, -1.0, 1.0);
        let y: Vec<f64> = match model {
            LinearModel::Linear => draw(&mut rng, ROWS, -1.0, 1.0),
            LinearModel::Logistic => (0..ROWS).map(|_| f64::from(rng.word() % 2)).collect(),
        };
        let weight: Vec<f64> =
            draw(&mut rng, SETS * ROWS, 0.1, 1.0).iter().enumerate().map(|(i, w)| if i % 5 == 2 { 0.0 } else { *w }).collect();
        let coef = draw(&mut rng, FEATURES * MODELS, -1.0, 1.0);
        let column = |of: &[f64], m: usize, n: usize| -> Vec<f64> { (0..n).map(|j| of[j * MODELS + m]).collect() };
        let mut want = vec![0.0; FEATURES * MODELS];
        let mut residual = vec![0.0; ROWS * MODELS];
        for m in 0..MODELS {
            let (b, w) = (column(&coef, m, FEATURES), &weight[m / PER_SET * ROWS..][..ROWS]);
            for i in 0..ROWS {
                residual[i * MODELS + m] = cpu::linear_residual(model, &x[i * FEATURES..][..FEATURES], y[i], w[i], &b);
            }
            let r = column(&residual, m, ROWS);
            for j in 0..FEATURES {
                let along = |v: f64| {
                    let mut b = b.clone();
                    b[j] = v;
                    loss(model, &x, &y, w, &b)
                };
                // Minus the gradient.
                let d = -slope(b[j], along);
                let features: Vec<f64> = (0..ROWS).map(|i| x[i * FEATURES + j]).collect();
                near("linear_gradient", &[cpu::linear_gradient(&features, &r)], &[d], |_| TOLERANCE);
                want[j * MODELS + m] = d;
            }
        }
        let op = ops::LinearResidual { model, rows: ROWS, features: FEATURES, sets: SETS, per_set: PER_SET };
        let empty = HostData::F32(vec![0.0; ROWS * MODELS]);
        gpu_near(
            &session,
            &op,
            &[f32s(&x), f32s(&y), f32s(&weight), f32s(&coef), empty],
            std::slice::from_ref(&residual),
            |_, _| 0.0,
        );
        // Residuals are rounded on their way to the next op: half an ulp of each, times X of at most 1.
        let rounding: Vec<f64> = (0..FEATURES * MODELS)
            .map(|at| column(&residual, at % MODELS, ROWS).iter().map(|r| r.abs()).sum::<f64>() * f64::from(f32::EPSILON))
            .collect();
        let op = ops::LinearGradient { rows: ROWS, features: FEATURES, models: MODELS };
        let empty = HostData::F32(vec![0.0; FEATURES * MODELS]);
        gpu_near(&session, &op, &[f32s(&x), f32s(&residual), empty], &[want], |_, i| rounding[i]);
    }
}

#[test]
fn a_step_minimises_the_model_of_the_objective_around_the_point() {
    let mut rng = Rng::new(22);
    for (l1, l2) in [(0.3, 0.0), (0.0, 0.5), (0.2, 0.4)] {
        let step = 0.7;
        let (grad, place) = (draw(&mut rng, FEATURES, -1.0, 1.0), draw(&mut rng, FEATURES, -1.0, 1.0));
        let (mut coef, mut point, mut t) = (draw(&mut rng, FEATURES, -1.0, 1.0), place.clone(), 3.0);
        let penalized = FEATURES - 1;
        cpu::fista_step([l1, l2, step], penalized, &grad, &mut coef, &mut point, &mut t);
        for (j, &b) in coef.iter().enumerate() {
            let (l1, l2) = if j < penalized { (l1, l2) } else { (0.0, 0.0) };
            let cost = |v: f64| -grad[j] * v + (v - place[j]).powi(2) / (2.0 * step) + l1 * v.abs() + 0.5 * l2 * v * v;
            // Convex, with a curvature of 1/step at least: no lower neighbour, no lower point.
            for other in [b - H, b + H] {
                assert!(cost(other) >= cost(b) + H * H / (2.0 * step) * (1.0 - 1e-6), "{other} is better than {b}");
            }
        }
    }
}
