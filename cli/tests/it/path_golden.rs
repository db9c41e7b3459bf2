//! Paths against scikit-learn's (`tests/golden/path.py`): coefficients within 1e-4 of the largest at each strength, the very same
//! zeros, errors of cross-validation, and the λ chosen.
use ridgepole::Session;
use ridgepole_cli::{
    Ui,
    commands::path::{Model, perform, problem::Problem, results::Paths, solve::Penalty, target},
    data::{Table, Targets},
};
use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    model: String,
    l1_ratio: f64,
    lambdas: Vec<f64>,
    coefficients: Vec<Vec<f64>>,
    intercepts: Vec<f64>,
    cv_mean: Option<Vec<f64>>,
    cv_best: Option<f64>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str::<File>(include_str!("../golden/path.json")).expect("the committed values can be read").cases
}

/// The diabetes data; for logistic models whether the target is above its median.
fn data(model: Model) -> Table {
    let mut table = Table::diabetes(target("target", Model::Linear)).expect("the program has them");
    if let (Model::Logistic, Targets::Values(y)) = (model, &table.targets) {
        let mut sorted = y.clone();
        sorted.sort_by(f64::total_cmp);
        let median = (sorted[220] + sorted[221]) / 2.0;
        let of = y.iter().map(|&y| u32::from(y > median)).collect();
        table.targets = Targets::Classes { names: vec!["low".into(), "high".into()], of };
    }
    table
}

/// The path at these strengths; the folds are the row number modulo 10, or all rows make one.
fn path(session: &Session, case: &Case, tolerance: Option<f64>) -> (Problem, Paths) {
    let model = if case.model == "linear" { Model::Linear } else { Model::Logistic };
    let data = data(model);
    let problem = Problem::new(&data).expect("few features");
    let folds: Vec<usize> = (0..problem.rows).map(|i| i % if case.cv_mean.is_some() { 10 } else { 2 }).collect();
    let penalty = Penalty { l1_ratio: case.l1_ratio, tolerance };
    let paths = perform(session, &data, &problem, &case.lambdas, &folds, penalty, &Ui::new()).expect("it runs");
    (problem, paths)
}

#[test]
fn paths_are_those_of_scikit_learn() {
    let session = Session::new().expect("the tests need a GPU adapter; `cargo xtask test` installs a software one");
    for case in cases() {
        let what = format!("{}, l1_ratio {}", case.model, case.l1_ratio);
        let (problem, paths) = path(&session, &case, None);
        let mut worst: f64 = 0.0;
        for ((fit, want), intercept) in paths.fits.iter().zip(&case.coefficients).zip(&case.intercepts) {
            let largest = want.iter().fold(0.0, |m: f64, b| m.max(b.abs()));
            for (j, (got, want)) in fit.standardized.iter().zip(want).enumerate() {
                let at = format!("{what}, λ {}, {}: got {got}, scikit-learn says {want}", fit.lambda, paths.columns[j]);
                assert_eq!(*got == 0.0, *want == 0.0, "{at}");
                assert!((got - want).abs() <= 1e-4 * largest, "{at}");
                if largest > 0.0 {
                    worst = worst.max((got - want).abs() / largest);
                }
            }
            // scikit-learn's intercept is of standardized features, ours of the features themselves.
            let mean: f64 = fit.coef.iter().zip(&problem.moments).map(|(b, [mean, _])| b * mean).sum();
            let scale = largest.max(1.0);
            assert!((fit.intercept + mean - intercept).abs() <= 1e-4 * scale, "{what}, λ {}: the intercept", fit.lambda);
        }
        if let (Some(means), Some(best)) = (&case.cv_mean, case.cv_best) {
            for (i, (want, [got, _])) in means.iter().zip(&paths.choice.curve).enumerate() {
                assert!((got - want).abs() <= 1e-5 * want, "{what}, cross-validation {i}: got {got}, scikit-learn says {want}");
            }
            assert_eq!(case.lambdas[paths.choice.best], best, "{what}: the λ chosen");
        }
        eprintln!("{what}: {worst:.1e} of the largest coefficient, gap {:.1e}, {:.1} s", paths.worst, paths.seconds);
        assert!(paths.notices().is_empty(), "{:?}", paths.notices());
    }
}

#[test]
fn a_gap_that_is_asked_for_is_reached_or_reported() {
    let session = Session::new().expect("an adapter");
    let case = &cases()[0];
    let (_, coarse) = path(&session, case, Some(1e-4));
    assert!(coarse.late == 0 && coarse.worst <= 1e-4 * (1.0 + 1e-6), "{}", coarse.worst);
    let (_, far) = path(&session, case, Some(1e-12));
    assert!(far.late > 0 && far.notices()[0].contains("models have a duality gap above 1e-12"), "{:?}", far.notices());
    // Less work, and it shows.
    let total = |p: &Paths| p.fits.iter().map(|f| f.iterations).sum::<u32>();
    assert!(total(&coarse) < total(&far));
}
