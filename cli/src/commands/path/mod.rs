//! The regularization path of a linear or logistic model: every strength of an L1, L2 or elastic-net penalty, cross-validated.
mod args;
mod choose;
pub mod problem;
mod report;
pub mod results;
pub mod solve;

pub use args::{Args, target};

use crate::{
    Failure, Ui, adapter,
    data::{self, Table, Targets, folds},
    files, text,
};
use choose::Choice;
use problem::Problem;
use results::{Fit, Paths};
use ridgepole::Session;
use serde::Serialize;
use solve::{Penalty, solve};
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
/// fails.
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
    let session = adapter::open(args.adapter.as_deref())?;
    let penalty = Penalty { l1_ratio: args.l1_ratio, tolerance: args.tolerance };
    let paths = perform(&session, &table, &problem, &lambdas, &folds, penalty, ui)?;
    // Files first: whoever reads the words may be gone.
    let written = files::report(&args.out, ("path.json", &paths.json(args.seed)), ("path.html", || report::html(&paths)));
    for line in paths.notices() {
        ui.note(line);
    }
    ui.line(table.target_line())?;
    for line in paths.table() {
        ui.line(line)?;
    }
    written?;
    let report = args.out.join("path.html");
    ui.line(format_args!("{:.1} s; report: {}, numbers: path.json beside it", paths.seconds, text::path(&report)))
}

/// Fits all models at every λ, in descending order; `folds` has the fold in which each row is held out.
///
/// # Errors
/// What planning and running report.
pub fn perform(
    session: &Session,
    table: &Table,
    problem: &Problem,
    lambdas: &[f64],
    folds: &[usize],
    penalty: Penalty,
    ui: &Ui,
) -> Result<Paths, Failure> {
    let start = Instant::now();
    let count = folds.iter().max().map_or(0, |most| most + 1);
    let mut sets = vec![vec![true; problem.rows]];
    sets.extend((0..count).map(|f| folds.iter().map(|&of| of != f).collect::<Vec<bool>>()));
    let progress = ui.progress("path", lambdas.len() as u64);
    progress.on(format!("{} models", sets.len() * lambdas.len()));
    let mut done = 0;
    let mut tick = |more: usize| {
        done += more;
        let left = start.elapsed().as_secs_f64() / done as f64 * (lambdas.len() - done) as f64;
        progress.done(more as u64);
        progress.on(format!("strengths of the penalty, about {left:.0} s left"));
    };
    let mut solved = solve(session, problem, &sets, lambdas, penalty, &mut tick)?;
    drop(progress);
    let whole = solved.remove(0);
    // The tolerance is rounded to f32.
    let wanted = penalty.tolerance.unwrap_or(results::WANTED) * (1.0 + 1e-6);
    let classes = match &table.targets {
        Targets::Classes { names, .. } => Some([0, 1].map(|c| names[c].clone())),
        Targets::Values(_) => None,
    };
    let choice = Choice::new(problem, &solved, folds);
    Ok(Paths {
        device: adapter::name(session.info()),
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
        late: solved.iter().flatten().chain(&whole).filter(|s| s.gap > wanted).count(),
        worst: solved.iter().flatten().chain(&whole).map(|s| s.gap).fold(0.0, f64::max),
        choice,
        seconds: start.elapsed().as_secs_f64(),
    })
}
