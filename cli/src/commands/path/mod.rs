//! The regularization path of a linear or logistic model: every strength of an L1, L2 or elastic-net penalty, cross-validated.
mod args;
mod choose;
pub mod device;
mod gpu;
pub mod problem;
mod report;
pub mod results;
pub mod solve;

pub use args::{Args, target};

use crate::{
    Failure, Ui,
    data::{self, Table, Targets, folds},
    files, interrupt, model, text,
};
use choose::Choice;
use device::Solver;
use problem::Problem;
use results::{Fit, Paths};
use serde::Serialize;
use solve::{Penalty, Solved, solve};
use std::time::Instant;

/// What kind of model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Model {
    /// A number, by least squares.
    Linear,
    /// One of two classes, by logistic regression.
    Logistic,
}

/// Fits the paths and writes what was found.
///
/// # Errors
/// [`Failure::Usage`] for options and data that do not fit and for files that cannot be written, [`Failure::Found`] if the device
/// fails, [`Failure::Interrupted`] if the user interrupts it.
pub fn run(args: &Args, ui: &Ui) -> Result<(), Failure> {
    args.check()?;
    let table = args.table()?;
    table.say(ui);
    let problem = Problem::new(&table)?;
    let lambdas = args.lambdas(problem.largest_lambda(args.l1_ratio), problem.scale[1])?;
    let folds = folds::assign(&table, table.rows(), args.folds, args.seed)?;
    let training = |f: usize| (f as u64 + 1, (0..folds.len()).filter(|r| folds[*r] != f).collect());
    data::in_training(&table, "fold", (0..folds::count(&table, args.folds)).map(training))
        .iter()
        .for_each(|notice| ui.note(notice));
    let held = files::folder(&args.out, "path")?;
    held.notice().into_iter().for_each(|notice| ui.note(notice));
    let models = (args.folds + 1) * lambdas.len();
    let (solver, why) = Solver::choose(args.device, args.adapter.as_deref(), args.polish, &problem, models)?;
    ui.note(why);
    interrupt::listen()?;
    let penalty = Penalty { l1_ratio: args.l1_ratio, tolerance: args.tolerance };
    let paths = perform(&solver, &table, &problem, &lambdas, &folds, penalty, ui)?;
    // Files first: whoever reads the words may be gone.
    let model = paths.model(&table, &problem).files();
    let written = files::report(&args.out, ("path.json", &paths.json(args.seed)), ("path.html", || report::html(&paths)), &model);
    let written = written.and_then(|()| model::without(&args.out, &model));
    for line in paths.notices() {
        ui.note(line);
    }
    ui.line(table.target_line())?;
    for line in paths.table() {
        ui.line(line)?;
    }
    ui.line(paths.exactness())?;
    written?;
    let report = args.out.join("path.html");
    ui.line(format_args!(
        "{} s; report: {}, beside it the numbers, path.json, and the model, model.json",
        results::seconds(paths.seconds),
        text::path(&report)
    ))
}

/// Fits all models at every λ, in descending order; `folds` has the fold in which each row is held out.
///
/// # Errors
/// What planning and running report.
pub fn perform(
    solver: &Solver,
    table: &Table,
    problem: &Problem,
    lambdas: &[f64],
    folds: &[usize],
    penalty: Penalty,
    ui: &Ui,
) -> Result<Paths, Failure> {
    let start = Instant::now();
    let Solved { mut models, begun } = solve(solver, problem, lambdas, folds, penalty, ui)?;
    let violations = || models.iter().flatten().map(|m| m.violation / problem.unit());
    // Not `f64::max`, to which NaN is nothing.
    let (late, worst) = (
        violations().filter(|v| v.is_nan() || *v > penalty.tolerance).count(),
        violations().fold(0.0, |most, v| if v <= most { most } else { v }),
    );
    let whole = models.remove(0);
    let classes = match &table.targets {
        Targets::Classes { names, .. } => Some([0, 1].map(|c| names[c].clone())),
        Targets::Values(_) => None,
    };
    let choice = Choice::new(problem, &models, folds);
    Ok(Paths {
        device: solver.name(),
        name: table.name.clone(),
        columns: table.columns.clone(),
        table: table.described(Some(&problem.moments.iter().map(|[mean, _]| *mean).collect::<Vec<_>>())),
        target: table.label.clone(),
        classes,
        model: problem.model,
        penalty,
        rows: problem.rows,
        folds: folds.to_vec(),
        fits: lambdas.iter().zip(&whole).map(|(&lambda, one)| Fit::new(problem, lambda, one)).collect(),
        late,
        worst,
        begun,
        choice,
        seconds: start.elapsed().as_secs_f64(),
    })
}

fn interrupted() -> Failure {
    Failure::Interrupted("interrupted; nothing was written".into())
}
