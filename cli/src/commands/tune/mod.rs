//! Chooses λ, p and batch norm by cross-validation.
mod args;
mod checkpoint;
#[cfg(test)]
#[path = "../../../../fuzz/checkpoint.rs"]
mod fuzz_checkpoint;
pub mod grid;
mod outcome;
mod report;
pub mod results;
pub mod search;
#[cfg(test)]
mod tests;
mod watch;
mod winner;

pub use args::{Args, By};

use crate::{
    Failure, Ui, adapter,
    data::{self, Summary, Table, Targets, folds::cross_validation, prepare, split},
    files, interrupt, model, seal, text, timing, training,
};
use outcome::Progress;
use results::{Candidate, Tuned};
use ridgepole::Rng;
use search::Search;
use std::{fmt::Write, time::Instant};
use watch::Watcher;
use winner::Winner;

/// Searches and writes what was found.
///
/// # Errors
/// [`Failure::Usage`] for options and data that do not fit and for files that cannot be written, [`Failure::Found`] if the device
/// fails, [`Failure::Interrupted`] if the user interrupts it.
pub fn run(args: &Args, ui: &Ui) -> Result<(), Failure> {
    let start = Instant::now();
    let (settings, hyper, table) = (args.settings()?, args.hyper()?, args.table()?);
    let (table, rows) = sample(table, args)?;
    table.say(ui);
    let (folds, splits) = cross_validation(&table, table.rows(), args.folds, args.stop_share, args.seed)?;
    let training = (1..).zip(splits.iter().map(|s| s.train.clone()));
    data::in_training(&table, "fold", training).iter().for_each(|notice| ui.note(notice));
    let prepared = splits.iter().map(|s| prepare::prepare(&table, s)).collect::<Result<Vec<_>, _>>()?;
    let held = files::folder(&args.out, "tune")?;
    held.notice().into_iter().for_each(|notice| ui.note(notice));
    let session = adapter::open(args.adapter.as_deref())?;
    training::room(session.gpu().caps(), &prepared, "use fewer with --rows, or fewer --folds")?;
    let classes = matches!(table.targets, Targets::Classes { .. });
    let (patience, seed, together) = (args.patience, args.seed, args.together);
    let search = Search { splits: &prepared, settings: &settings, hyper: &hyper, classes, patience, seed, together };
    let device = adapter::name(session.info());
    let fingerprint = fingerprint(&device, &table, (&folds, args.stop_share), &search);
    let path = args.out.join("tune.checkpoint");
    let found = if args.fresh { None } else { Progress::load(&path, &fingerprint, &|p| search.accepts(p))? };
    let progress = found.unwrap_or_default();
    let resumed = progress.done.len();
    if !progress.done.is_empty() || !progress.active.is_empty() {
        ui.note(format_args!(
            "resuming from {}: {} finished, {} in training (--fresh starts over)",
            text::path(&path),
            text::count(resumed, "network"),
            progress.active.len()
        ));
    }
    let networks = settings.len() * splits.len();
    let mut watcher = Watcher::new(ui, networks, hyper.epochs, &progress, (&path, &fingerprint));
    interrupt::listen()?;
    let outcomes = search.run(&session, progress, &mut watcher)?;
    let largest = watcher.largest;
    drop(watcher);
    // If the results cannot be written, the work is not lost.
    let done = outcomes.iter().copied().enumerate().collect();
    Progress { done, ..Progress::default() }.save(&path, &fingerprint)?;
    let candidates: Vec<Candidate> = settings
        .iter()
        .zip(outcomes.chunks_exact(splits.len()))
        .map(|(&setting, outcomes)| Candidate { setting, outcomes: outcomes.to_vec() })
        .collect();
    let [best, one_se] = results::choose(&candidates, args.by, classes);
    let winner = Winner { setting: settings[best], table: &table, stop_share: args.stop_share };
    let model = winner.refit(&session, &search, &path, ui)?;
    let tuned = Tuned {
        device,
        data: Summary::new(&table, prepared[0].parts.each_ref().map(|p| p.rows)),
        hyper,
        patience,
        stop_share: args.stop_share,
        seed,
        folds,
        rows,
        by: args.by,
        candidates,
        best,
        one_se,
        command: args.command(),
        together: largest,
        seconds: start.elapsed().as_secs_f64(),
        resumed,
    };
    // Files first: whoever reads the words may be gone.
    let written = files::report(&args.out, ("tune.json", &tuned.json()), ("tune.html", || report::html(&tuned)), &model);
    let written = written.and_then(|()| model::without(&args.out, &model));
    // Done, if they are there: nothing is left to resume.
    let written = written.and_then(|()| files::remove(&path));
    ui.line(table.target_line())?;
    say(&tuned, splits.len(), ui)?;
    written?;
    let report = args.out.join("tune.html");
    ui.line(format_args!(
        "{:.1} s, at most {} at once; report: {}, beside it the numbers, tune.json{}",
        tuned.seconds,
        text::count(tuned.together, "network"),
        text::path(&report),
        if model.is_empty() { "" } else { ", and the model, model.json" }
    ))
}

/// The words on stdout.
fn say(tuned: &Tuned, folds: usize, ui: &Ui) -> Result<(), Failure> {
    ui.line(format_args!(
        "{}: {} rows in {} folds; {}, {} networks; mean ± standard error over the folds; {}",
        tuned.data.name,
        tuned.data.rows,
        folds,
        text::count(tuned.candidates.len(), "setting"),
        tuned.candidates.len() * folds,
        tuned.device
    ))?;
    for line in tuned.table() {
        ui.line(line)?;
    }
    Ok(())
}

/// The rows to use: without the data's own test part, and no more than asked for.
fn sample(mut table: Table, args: &Args) -> Result<(Table, Option<Vec<usize>>), Failure> {
    let pool = table.test_from.take().unwrap_or(table.rows());
    let count = args.rows.unwrap_or(pool);
    if count > pool || count < 2 {
        return Err(Failure::usage(format!("--rows is {count}, must be from 2 to the number of rows, {pool}")));
    }
    if count == table.rows() {
        return Ok((table, None));
    }
    let mut rows: Vec<usize> = (0..pool).collect();
    split::shuffle(&mut rows, &mut Rng::new(args.seed ^ 0x726f_7773));
    rows.truncate(count);
    rows.sort_unstable();
    Ok((table.select(&rows).without_empty_classes(), Some(rows)))
}

/// Two searches with the same fingerprint compute the same results.
fn fingerprint(device: &str, table: &Table, (folds, stop_share): (&[usize], f64), search: &Search) -> String {
    let Search { splits: _, settings, hyper, classes, patience, seed, together: _ } = search;
    // As a tuple, so that no two of them run into one text.
    let all = (timing::version(), device, table, folds, stop_share, settings, hyper, (classes, patience, seed));
    let mut hash = seal::Fingerprint::default();
    write!(hash, "{all:?}").expect("a hash takes all");
    hash.hex()
}
