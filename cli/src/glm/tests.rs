//! The solver against the conditions of a minimum, computed here once more, plainly; on tables of every shape.
use super::{
    Design, Family, Plan, Solution, Starts, Stopped, Strength,
    covariance::{Folds, Kept, covariances},
    design::{add, cross, dot, outer, product, solve},
    largest,
    minimize::{Gram, Quadratic, Residuals, minimize},
};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Numbers from -1 to 1, of no order.
fn noise(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

fn standardized(column: &mut [f64]) {
    let n = column.len() as f64;
    let mean = column.iter().sum::<f64>() / n;
    let sd = (column.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    column.iter_mut().for_each(|v| *v = if sd > 0.0 { (*v - mean) / sd } else { 0.0 });
}

struct Data {
    design: Design,
    y: Vec<f64>,
    family: Family,
    folds: Vec<usize>,
}

impl Data {
    /// `alike`: features of which each is one of the first, the same, or but for a millionth part; and one that is constant but in a fold.
    fn new(rows: usize, features: usize, family: Family, alike: bool) -> Self {
        let mut next = noise(rows as u64 * 1000 + features as u64);
        let mut x: Vec<f64> = (0..rows * features).map(|_| next()).collect();
        if alike {
            for j in features / 3..features {
                let (first, rest) = x.split_at_mut(j * rows);
                let of = &first[(j % (features / 3)) * rows..][..rows];
                let part = if j % 2 == 0 { 0.0 } else { 1e-6 };
                rest[..rows].iter_mut().zip(of).for_each(|(x, of)| *x = of + part * *x);
            }
            let last = &mut x[(features - 1) * rows..];
            last.iter_mut().enumerate().for_each(|(i, x)| *x = f64::from(u8::from(i % 3 == 1 && i > rows / 2)));
        }
        x.chunks_exact_mut(rows).for_each(standardized);
        let design = Design::new(rows, x);
        let mut y: Vec<f64> = (0..rows).map(|i| 2.0 * design.column(0)[i] - design.column(1)[i] + next()).collect();
        match family {
            Family::Linear => standardized(&mut y),
            Family::Logistic => y.iter_mut().for_each(|y| *y = f64::from(u8::from(*y > 0.2))),
        }
        Self { design, y, family, folds: (0..rows).map(|i| i % 3).collect() }
    }

    fn strengths(&self, ratio: f64, least: f64) -> Vec<Strength> {
        let most = largest(&self.design, &self.y) / ratio.max(1e-3);
        let of = |l: f64| Strength { l1: l * ratio, l2: l * (1.0 - ratio) };
        (0..12).map(|i| of(most * least.powf(f64::from(i) / 11.0))).collect()
    }

    fn plan<'a>(&'a self, strengths: &'a [Strength]) -> Plan<'a> {
        let largest = largest(&self.design, &self.y);
        let Self { design, y, family, folds } = self;
        Plan { design, y, family: *family, folds, count: 3, strengths, tolerance: 1e-9, largest }
    }

    /// The objective of a model without a fold, its largest violation, and whether it uses a feature that has one value there.
    fn judged(&self, set: usize, strength: Strength, model: &Solution) -> (f64, f64, bool) {
        let rows: Vec<usize> = (0..self.y.len()).filter(|&i| set == 0 || self.folds[i] != set - 1).collect();
        let mut eta = vec![model.intercept; self.y.len()];
        model.coef.iter().for_each(|&(j, b)| add(&mut eta, b, self.design.column(j)));
        let mean = |f: &dyn Fn(usize) -> f64| rows.iter().map(|&i| f(i)).sum::<f64>() / rows.len() as f64;
        let slope = |i: usize| self.family.mean(eta[i]) - self.y[i];
        let (mut worst, mut idle) = (mean(&slope).abs(), false);
        let mut objective = mean(&|i| self.family.loss(eta[i], self.y[i]));
        for j in 0..self.design.features() {
            let x = self.design.column(j);
            let b = model.coef.iter().find(|(k, _)| *k == j).map_or(0.0, |(_, b)| *b);
            objective += strength.l1 * b.abs() + 0.5 * strength.l2 * b * b;
            if rows.iter().all(|&i| x[i] == x[rows[0]]) {
                idle |= b != 0.0;
                continue;
            }
            let pull = -mean(&|i| x[i] * slope(i)) - strength.l2 * b;
            let miss = if b == 0.0 { (pull.abs() - strength.l1).max(0.0) } else { (pull - strength.l1 * b.signum()).abs() };
            worst = worst.max(miss);
        }
        (objective, worst, idle)
    }
}

fn solved(plan: &Plan) -> Vec<Vec<Solution>> {
    plan.solve(None, &|_, _| true).expect("nobody stops it")
}

#[test]
fn the_conditions_of_a_minimum_hold_for_every_model() {
    for family in [Family::Linear, Family::Logistic] {
        for (rows, features, alike) in [(60, 8, false), (60, 24, true), (21, 90, false), (30, 90, true), (7, 40, false)] {
            let data = Data::new(rows, features, family, alike);
            for (ratio, least) in [(1.0, 1e-3), (1.0, 1e-6), (0.5, 1e-3), (0.02, 1e-3), (0.0, 1e-4)] {
                let strengths = data.strengths(ratio, least);
                let plan = data.plan(&strengths);
                for (set, models) in solved(&plan).iter().enumerate() {
                    for (k, (model, &strength)) in models.iter().zip(&strengths).enumerate() {
                        let at =
                            format!("{family:?} {rows} x {features}, alike {alike}, ratio {ratio}, to {least}, set {set}, {k}");
                        let (_, worst, idle) = data.judged(set, strength, model);
                        assert!(worst <= 1e-9 * plan.largest, "{at}: {}", worst / plan.largest);
                        assert!((worst - model.violation).abs() <= 1e-13, "{at}: it says {}, not {worst}", model.violation);
                        assert!(!idle, "{at}: a feature with one value");
                        assert!(model.gap < 1e-7, "{at}: gap {}", model.gap);
                        assert!(model.coef.is_sorted_by(|a, b| a.0 < b.0) && model.coef.iter().all(|c| c.1 != 0.0), "{at}");
                        assert!(k > 0 || set > 0 || ratio == 0.0 || model.coef.is_empty(), "{at}: nothing at the largest");
                    }
                }
            }
        }
    }
}

#[test]
fn covariances_of_all_features_and_those_that_are_needed_give_the_same_models() {
    let data = Data::new(64, 12, Family::Linear, false);
    let strengths = data.strengths(1.0, 1e-3);
    assert!(Folds::worth(&data.design, 3, 48) && !Folds::worth(&data.design, 3, 1) && !Folds::worth(&data.design, 1 << 20, 48));
    assert!(!Folds::worth(&Data::new(12, 12, Family::Linear, false).design, 3, 48));
    let plan = data.plan(&strengths);
    // Started elsewhere, it goes by X.
    let nothing = vec![vec![Solution::default(); 12]; 4];
    let by_x = plan.solve(Some(Starts { models: &nothing, most: 0 }), &|_, _| true).unwrap();
    for (a, b) in solved(&plan).iter().flatten().zip(by_x.iter().flatten()) {
        assert_eq!(a.coef.len(), b.coef.len());
        assert!(a.coef.iter().zip(&b.coef).all(|(a, b)| a.0 == b.0 && (a.1 - b.1).abs() < 1e-12), "{a:?}, {b:?}");
    }
    let means: Vec<f64> =
        (0..12).map(|j| (0..64).filter(|i| i % 3 != 1).map(|i| data.design.column(j)[i]).sum::<f64>() / 43.0).collect();
    let w: Vec<f64> = (0..64).map(|i| if i % 3 == 1 { 0.0 } else { 1.0 / 43.0 }).collect();
    let all: Vec<usize> = (0..12).collect();
    let plain = covariances(&data.design, &all, &w);
    let without = Folds::new(&data.design, &data.folds, 3).without(Some(1), 1.0 / 43.0, &means);
    let mut kept = Kept::new(12);
    kept.of(&data.design, &[5, 2], &w, &means);
    let few = kept.of(&data.design, &[7, 5, 0], &w, &means);
    assert_eq!(kept.len(), 4);
    for (j, k) in (0..12).flat_map(|j| (0..12).map(move |k| (j, k))) {
        let want: f64 =
            (0..64).map(|i| w[i] * (data.design.column(j)[i] - means[j]) * (data.design.column(k)[i] - means[k])).sum();
        assert!((plain[j * 12 + k] - want).abs() < 1e-14 && (without[j * 12 + k] - want).abs() < 1e-14);
        if let (Some(a), Some(b)) = ([7, 5, 0].iter().position(|l| *l == j), [7, 5, 0].iter().position(|l| *l == k)) {
            assert!((few[a * 3 + b] - want).abs() < 1e-14);
        }
    }
}

#[test]
fn models_that_came_from_elsewhere_are_judged_and_finished() {
    for family in [Family::Linear, Family::Logistic] {
        let data = Data::new(40, 15, family, false);
        let strengths = data.strengths(0.7, 1e-2);
        let plan = data.plan(&strengths);
        let exact = solved(&plan);
        // What is exact already is looked at once, and left.
        let again = plan.solve(Some(Starts { models: &exact, most: usize::MAX }), &|_, _| true).unwrap();
        for (from, to) in exact.iter().flatten().zip(again.iter().flatten()) {
            assert!(to.passes <= from.passes + 1, "{family:?}: {} passes more", to.passes - from.passes);
        }
        let mut rough = exact.clone();
        let mut next = noise(5);
        rough.iter_mut().flatten().for_each(|m| {
            m.intercept += 1e-3 * next();
            m.coef.iter_mut().for_each(|c| c.1 *= 1.0 + 1e-3 * next());
            m.coef.truncate(9);
            m.violation = f64::NAN;
        });
        let judged = plan.check(&rough);
        for (set, k) in (0..4).flat_map(|set| (0..12).map(move |k| (set, k))) {
            let model = &judged[set][k];
            let (_, worst, _) = data.judged(set, strengths[k], model);
            assert_eq!((model.intercept, &model.coef), (rough[set][k].intercept, &rough[set][k].coef), "as it was");
            assert!((model.violation - worst).abs() < 1e-14 && worst > 1e-9 * plan.largest, "{family:?} {set} {k}: {worst}");
        }
        let finished = plan.solve(Some(Starts { models: &judged, most: 4 }), &|_, _| true).unwrap();
        for (set, k) in (0..4).flat_map(|set| (0..12).map(move |k| (set, k))) {
            let (from, to) = (&judged[set][k], &finished[set][k]);
            if from.coef.len() > 4 {
                assert_eq!(from, to, "too many features: left as it is");
            } else {
                assert!(
                    to.violation <= 1e-9 * plan.largest && to.passes >= from.passes,
                    "{family:?} {set} {k}: {}",
                    to.violation
                );
            }
        }
        assert!(
            judged.iter().flatten().any(|m| m.coef.len() > 4) && judged.iter().flatten().any(|m| (1..=4).contains(&m.coef.len()))
        );
    }
}

#[test]
fn the_gap_bounds_the_distance_from_the_minimum() {
    for (family, ratio) in [(Family::Linear, 1.0), (Family::Linear, 0.3), (Family::Logistic, 1.0), (Family::Logistic, 0.3)] {
        let data = Data::new(40, 10, family, false);
        let strengths = data.strengths(ratio, 1e-2);
        let plan = data.plan(&strengths);
        let exact = solved(&plan);
        // Each model where the strength is another one: its intercept fits, so residuals add up to 0.
        let shifted: Vec<Vec<Solution>> =
            exact.iter().map(|models| models.iter().cycle().skip(1).take(12).cloned().collect()).collect();
        for (set, models) in plan.check(&shifted).iter().enumerate() {
            for (k, model) in models.iter().enumerate() {
                let above = data.judged(set, strengths[k], model).0 - data.judged(set, strengths[k], &exact[set][k]).0;
                assert!(above > 1e-6 && above <= model.gap + 1e-12, "{family:?} {set} {k}: {above} above, gap {}", model.gap);
            }
        }
    }
}

#[test]
fn whoever_watches_can_end_it() {
    let data = Data::new(40, 10, Family::Linear, false);
    let strengths = data.strengths(1.0, 1e-2);
    let plan = data.plan(&strengths);
    let told = AtomicUsize::new(0);
    let stopped = plan.solve(None, &|_, _| told.fetch_add(1, Ordering::Relaxed) < 5);
    assert_eq!(stopped, Err(Stopped));
    assert!(told.load(Ordering::Relaxed) < 24, "{told:?} of 48 models were solved all the same");
    told.store(0, Ordering::Relaxed);
    plan.solve(None, &|k, _| told.fetch_add(k, Ordering::Relaxed) < 1000).unwrap();
    assert_eq!(told.load(Ordering::Relaxed), 4 * 66, "each place once for each set of rows");
}

#[test]
fn products_are_those_of_matrices() {
    // 7 rows: A has 3 columns, B 2.
    let mut next = noise(3);
    let (a, b): (Vec<f64>, Vec<f64>) = ((0..21).map(|_| next()).collect(), (0..14).map(|_| next()).collect());
    let (mut ab, mut aa, mut ac) = ([0.0; 6], [0.0; 49], [0.0; 14]);
    cross(&a, &b, 7, &mut ab);
    outer(&a, 7, &mut aa);
    product(&a, &b[..6], 7, &mut ac);
    for (j, k) in (0..3).flat_map(|j| (0..2).map(move |k| (j, k))) {
        assert!((ab[j * 2 + k] - (0..7).map(|i| a[j * 7 + i] * b[k * 7 + i]).sum::<f64>()).abs() < 1e-15);
    }
    for (i, k) in (0..7).flat_map(|i| (0..7).map(move |k| (i, k))) {
        assert!((aa[i * 7 + k] - (0..3).map(|j| a[j * 7 + i] * a[j * 7 + k]).sum::<f64>()).abs() < 1e-15);
    }
    for (i, k) in (0..7).flat_map(|i| (0..2).map(move |k| (i, k))) {
        assert!((ac[k * 7 + i] - (0..3).map(|j| a[j * 7 + i] * b[k * 3 + j]).sum::<f64>()).abs() < 1e-15);
    }
    let data = Data::new(9, 300, Family::Linear, false);
    let all: Vec<usize> = (0..300).collect();
    let h = covariances(&data.design, &all, &[1.0 / 9.0; 9]);
    for (j, k) in [(0, 0), (5, 127), (127, 128), (299, 0), (0, 299), (130, 290), (290, 130), (255, 256), (256, 255)] {
        assert!((h[j * 300 + k] - dot(data.design.column(j), data.design.column(k)) / 9.0).abs() < 1e-15, "{j}, {k}");
    }
    let long: Vec<f64> = (0..29).map(f64::from).collect();
    assert_eq!(dot(&long, &long), 7714.0);
}

#[test]
fn equations_are_solved_or_refused() {
    let mut next = noise(9);
    let x: Vec<f64> = (0..60).map(|_| next()).collect();
    let mut a = [0.0; 36];
    cross(&x, &x, 10, &mut a);
    let want: Vec<f64> = (0..6).map(|_| next()).collect();
    let mut b: Vec<f64> = a.chunks_exact(6).map(|row| dot(row, &want)).collect();
    solve(&mut a, &mut b).expect("it is positive definite");
    assert!(b.iter().zip(&want).all(|(b, want)| (b - want).abs() < 1e-12), "{b:?}, not {want:?}");
    assert_eq!(solve(&mut [1.0, 0.0, 1.0, 1.0], &mut [1.0, 1.0]), None, "of rank 1");
    assert_eq!(solve(&mut [1.0, 0.0, 2.0, 1.0], &mut [1.0, 1.0]), None, "indefinite");
    assert_eq!(solve(&mut [f64::NAN], &mut [1.0]), None);
}

#[test]
fn covariances_and_residuals_lead_to_the_same_minimum() {
    // More features than rows, so that both forms of the Newton step are taken.
    for (rows, features) in [(12, 40), (50, 10)] {
        let data = Data::new(rows, features, Family::Linear, false);
        let strength = Strength { l1: 1e-4, l2: 1e-3 };
        // Rows that are left out, so that neither features nor residuals have the mean 0.
        let kept = (0..rows).filter(|i| i % 4 != 1).count() as f64;
        let v: Vec<f64> = (0..rows).map(|i| if i % 4 == 1 { 0.0 } else { 1.0 / kept }).collect();
        let all: Vec<usize> = (0..features).collect();
        let residuals: Vec<f64> = data.y.iter().zip(&v).map(|(y, v)| (y + 7.0) * v).collect();
        let slopes = |j: &usize| {
            let x = data.design.column(*j);
            let mean = dot(x, &v);
            -x.iter().zip(&residuals).map(|(x, r)| (x - mean) * r).sum::<f64>()
        };
        let mut gram = Gram::new(covariances(&data.design, &all, &v), all.iter().map(slopes).collect());
        let mut by_rows = Residuals::new(&data.design, &all, &v, &residuals);
        let used: Vec<usize> = (0..features).step_by(1 + features / 30).collect();
        let to: Vec<f64> = used.iter().map(|j| (*j as f64).sin()).collect();
        let [a, b] = [gram.solved(&used, 1e-3, &to), by_rows.solved(&used, 1e-3, &to)].map(Option::unwrap);
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-9 * (1.0 + a.abs())), "{a:?}, {b:?}");
        let (mut one, mut other) = (vec![0.0; features], vec![0.0; features]);
        minimize(&mut gram, &mut one, strength, 1e-13);
        minimize(&mut by_rows, &mut other, strength, 1e-13);
        assert!(one.iter().zip(&other).all(|(a, b)| (a - b).abs() < 1e-9), "{one:?}, {other:?}");
        assert!(one.iter().any(|b| *b != 0.0));
    }
}
