//! Batches of linear models as a whole: the gap is what it claims to be, and steps lead to the minimum.
use ridgepole::{ops::*, *};

const ROWS: usize = 40;
/// The last one is a column of ones.
const FEATURES: usize = 7;
const PENALIZED: usize = 6;

struct Problem {
    model: LinearModel,
    x: Vec<f64>,
    y: Vec<f64>,
    weight: Vec<f64>,
    l1: f64,
    l2: f64,
}

impl Problem {
    fn new(model: LinearModel, l1: f64, l2: f64, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mut x: Vec<f64> = (0..ROWS * FEATURES).map(|_| DType::F32.nearest(2.0 * rng.unit() - 1.0)).collect();
        let mut y = Vec::new();
        for row in x.chunks_exact_mut(FEATURES) {
            // Two features that are nearly the same make the problem a hard one.
            row[1] = DType::F32.nearest(row[0] + 0.1 * row[1]);
            row[FEATURES - 1] = 1.0;
            let z = 2.0 * row[0] - row[2] + 0.5 + 3.0 * (rng.unit() - 0.5);
            y.push(if model == LinearModel::Linear { DType::F32.nearest(z) } else { f64::from(u8::from(z > 0.3)) });
        }
        let weight = (0..ROWS).map(|i| if i % 7 == 3 { 0.0 } else { DType::F32.nearest(1.0 / 34.0) }).collect();
        Self { model, x, y, weight, l1: DType::F32.nearest(l1), l2: DType::F32.nearest(l2) }
    }

    fn row(&self, i: usize) -> &[f64] {
        &self.x[i * FEATURES..][..FEATURES]
    }

    fn residual(&self, b: &[f64]) -> Vec<f64> {
        (0..ROWS).map(|i| cpu::linear_residual(self.model, self.row(i), self.y[i], self.weight[i], b)).collect()
    }

    fn grad(&self, r: &[f64]) -> Vec<f64> {
        (0..FEATURES).map(|j| (0..ROWS).map(|i| self.x[i * FEATURES + j] * r[i]).sum()).collect()
    }

    fn objective(&self, b: &[f64]) -> f64 {
        let loss = |i: usize| {
            let z: f64 = self.row(i).iter().zip(b).map(|(x, b)| x * b).sum();
            self.weight[i]
                * match self.model {
                    LinearModel::Linear => 0.5 * (self.y[i] - z).powi(2),
                    LinearModel::Logistic => z.exp().ln_1p() - self.y[i] * z,
                }
        };
        let penalty = |b: &f64| self.l1 * b.abs() + 0.5 * self.l2 * b * b;
        (0..ROWS).map(loss).sum::<f64>() + b[..PENALIZED].iter().map(penalty).sum::<f64>()
    }

    fn gap(&self, b: &[f64], reach: f64) -> f64 {
        let r = self.residual(b);
        let rows: Vec<_> = self.weight.iter().copied().zip(r.iter().copied()).collect();
        let columns: Vec<_> = self.grad(&r).into_iter().zip(b.iter().copied()).collect();
        cpu::duality_gap(self.model, &rows, &columns, PENALIZED, [self.l1, self.l2, reach])
    }

    /// The largest curvature is below its inverse: all weights together are below 1.1, squares of rows below FEATURES.
    fn step(&self) -> f64 {
        let curvature = if self.model == LinearModel::Linear { 1.0 } else { 0.25 };
        DType::F32.nearest(1.0 / (1.1 * FEATURES as f64 * curvature))
    }

    fn minimum(&self) -> Vec<f64> {
        let (mut coef, mut point, mut t) = (vec![0.0; FEATURES], vec![0.0; FEATURES], 1.0);
        for _ in 0..20_000 {
            let grad = self.grad(&self.residual(&point));
            cpu::fista_step([self.l1, self.l2, self.step()], PENALIZED, &grad, &mut coef, &mut point, &mut t);
        }
        coef
    }
}

const PENALTIES: [(f64, f64); 6] = [(0.3, 0.0), (0.02, 0.0), (5e-3, 0.0), (0.0, 0.1), (0.05, 0.05), (1e-3, 1e-3)];

fn problems() -> Vec<Problem> {
    let models = [LinearModel::Linear, LinearModel::Logistic];
    let all = models.into_iter().flat_map(|m| PENALTIES.into_iter().enumerate().map(move |(i, p)| (m, i, p)));
    all.map(|(model, i, (l1, l2))| Problem::new(model, l1, l2, i as u64)).collect()
}

#[test]
fn the_gap_is_never_below_the_distance_to_the_minimum_and_vanishes_there() {
    let mut rng = Rng::new(5);
    for p in problems() {
        let best = p.minimum();
        let least = p.objective(&best);
        let at_best = p.gap(&best, 1.0);
        assert!((0.0..1e-12).contains(&at_best), "{:?} {} {}: {at_best} at the minimum", p.model, p.l1, p.l2);
        for size in [1.0, 0.1, 1e-2, 1e-3, 1e-4] {
            for _ in 0..40 {
                let near: Vec<f64> = best.iter().map(|b| b + size * (2.0 * rng.unit() - 1.0)).collect();
                let (above, gap) = (p.objective(&near) - least, p.gap(&near, size));
                assert!(gap >= above * (1.0 - 1e-9), "{:?} {} {}: gap {gap} for {above}", p.model, p.l1, p.l2);
                // Next to the minimum it is no idle bound: in proportion to the distance of coefficients, or to its square.
                assert!(gap <= 20.0 * (if p.l2 == 0.0 { size } else { size + size * size / p.l2 }), "{gap} at {size}");
            }
        }
    }
}

/// The four ops on the GPU, as a solver uses them: all problems of a kind in one batch.
#[test]
fn steps_lead_to_the_minimum_and_stop_there() {
    let session = Session::new().expect("an adapter");
    for model in [LinearModel::Linear, LinearModel::Logistic] {
        // One set of rows for each: the weights differ by nothing but the number of the set.
        let problems: Vec<Problem> = PENALTIES.iter().map(|&(l1, l2)| Problem::new(model, l1, l2, 9)).collect();
        let models = problems.len();
        let f32s = |v: Vec<f64>| HostData::from_f64(DType::F32, v);
        let p = &problems[0];
        let (x, y) = (f32s(p.x.clone()), f32s(p.y.clone()));
        let weight = f32s(problems.iter().flat_map(|p| p.weight.clone()).collect());
        let tolerance = 2e-6;
        let row = |f: &dyn Fn(&Problem) -> f64| problems.iter().map(f).collect::<Vec<f64>>();
        let settings = f32s([row(&|p| p.l1), row(&|p| p.l2), row(&|p| p.step()), vec![tolerance; models]].concat());
        let (rows, features, penalized) = (ROWS, FEATURES, PENALIZED);
        let residuals = LinearResidual { model, rows, features, sets: models, per_set: 1 };
        let gradient = LinearGradient { rows, features, models };
        let step = FistaStep { features, penalized, models };
        let distance = DualityGap { model, rows, features, penalized, sets: models, per_set: 1, reach: 1.0 };
        let run = |op: &dyn Verify, inputs: &[HostData]| session.run(op, inputs).unwrap_or_else(|e| panic!("{op:?}: {e}"));
        let slope = |at: &HostData| {
            let r = run(&residuals, &[x.clone(), y.clone(), weight.clone(), at.clone()]).remove(0);
            (run(&gradient, &[x.clone(), r.clone()]).remove(0), r)
        };
        let zeros = f32s(vec![0.0; features * models]);
        let (mut coef, mut point, mut t) = (zeros.clone(), zeros, f32s(vec![1.0; models]));
        let mut gap = f32s(vec![f64::from(f32::MAX); models]);
        let mut iterations = 0;
        while gap.to_f64().iter().any(|g| *g > tolerance) {
            assert!(iterations < 4000, "{model:?}: gaps of {gap:?}");
            for _ in 0..20 {
                let (grad, _) = slope(&point);
                let out = run(&step, &[grad, settings.clone(), gap.clone(), coef, point, t]);
                [coef, point, t] = out.try_into().expect("three are updated");
            }
            let (grad, r) = slope(&coef);
            gap = run(&distance, &[weight.clone(), r, grad, coef.clone(), settings.clone()]).remove(0);
            iterations += 20;
        }
        // What has arrived stays, bit for bit.
        let (grad, _) = slope(&point);
        let out = run(&step, &[grad, settings.clone(), gap, coef.clone(), point.clone(), t.clone()]);
        assert_eq!(out, [coef.clone(), point, t]);
        for (m, p) in problems.iter().enumerate() {
            let got: Vec<f64> = coef.to_f64().into_iter().skip(m).step_by(models).collect();
            let best = p.minimum();
            let above = p.objective(&got) - p.objective(&best);
            assert!(above <= 2.0 * tolerance, "{model:?} {} {}: {above} above the minimum", p.l1, p.l2);
            // The penalty of 0.3 leaves features out, and they are exactly 0.
            if m == 0 {
                let zeros = |b: &[f64]| b[..PENALIZED].iter().map(|b| *b == 0.0).collect::<Vec<_>>();
                assert!(zeros(&got).contains(&true) && zeros(&got) == zeros(&best), "{got:?}, {best:?}");
            }
        }
    }
}
