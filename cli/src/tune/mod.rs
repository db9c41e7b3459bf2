//! Chooses λ, p and batch norm by cross-validation.
mod args;
mod checkpoint;
pub mod grid;
mod report;
pub mod results;
pub mod search;

pub use args::{Args, By};

use crate::{
    Failure, Progress as Bar, Ui, adapter,
    data::{Table, Targets, folds::cross_validation, split},
    files,
    study::results::About,
};
use checkpoint::Progress;
use results::{Candidate, Tuned};
use ridgepole::Rng;
use search::{Search, Watch};
use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

/// Searches and writes what was found.
///
/// # Errors
/// [`Failure::Usage`] for options and data that do not fit and for files that cannot be written, [`Failure::Found`] if the device
/// fails, [`Failure::Interrupted`] if the user breaks it off.
pub fn run(args: &Args, ui: &Ui) -> Result<(), Failure> {
    let start = Instant::now();
    let (settings, hyper, table) = (args.settings()?, args.hyper()?, args.table()?);
    let (table, rows) = sample(table, args)?;
    let (folds, splits) = cross_validation(&table, table.rows(), args.folds, args.stop_share, args.seed)?;
    let prepared: Vec<_> = splits.iter().map(|s| split::prepare(&table, s)).collect();
    files::folder(&args.out)?;
    let session = adapter::open(args.adapter.as_deref())?;
    let classes = matches!(table.targets, Targets::Classes { .. });
    let (patience, seed, together) = (args.patience, args.seed, args.together);
    let search = Search { splits: &prepared, settings: &settings, hyper: &hyper, classes, patience, seed, together };
    let fingerprint = fingerprint(&table, &folds, &search);
    let path = args.out.join("tune.checkpoint");
    let progress = if args.fresh { None } else { Progress::load(&path, &fingerprint)? }.unwrap_or_default();
    let resumed = progress.done.len();
    if !progress.done.is_empty() || !progress.active.is_empty() {
        ui.note(format_args!(
            "going on from {}: {resumed} networks are finished, {} under way (--fresh begins anew)",
            path.display(),
            progress.active.len()
        ));
    }
    let total = settings.len() * args.folds;
    let already = progress.active.values().map(|s| s.epoch).sum::<usize>() + resumed * hyper.epochs;
    let bar = ui.progress("tune", (total * hyper.epochs) as u64);
    bar.done(already as u64);
    let mut watcher = Watcher {
        bar,
        start,
        path: path.clone(),
        fingerprint: fingerprint.clone(),
        saved: Instant::now(),
        epochs: hyper.epochs,
        trained: 0,
        left: total * hyper.epochs - already,
        largest: 0,
    };
    listen()?;
    let outcomes = search.run(&session, progress, &mut watcher)?;
    let largest = watcher.largest;
    drop(watcher);
    // Should the results not find a place, the work is not lost.
    let done = outcomes.iter().copied().enumerate().collect();
    Progress { done, ..Progress::default() }.save(&path, &fingerprint)?;
    let candidates: Vec<Candidate> = settings
        .iter()
        .zip(outcomes.chunks_exact(args.folds))
        .map(|(&setting, outcomes)| Candidate { setting, outcomes: outcomes.to_vec() })
        .collect();
    let [best, one_se] = results::choose(&candidates, args.by, classes);
    let tuned = Tuned {
        device: adapter::name(session.info()),
        data: About::new(&table, prepared[0].parts.each_ref().map(|p| p.rows)),
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
    write(args, &tuned, ui)?;
    // Done: nothing is left to go on from.
    match std::fs::remove_file(&path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Failure::file("remove", &path, e)),
        _ => Ok(()),
    }
}

fn write(args: &Args, tuned: &Tuned, ui: &Ui) -> Result<(), Failure> {
    ui.line(format_args!(
        "{}: {} rows in {} folds; {} settings, {} networks; mean ± standard error over the folds; {}",
        tuned.data.name,
        tuned.data.rows,
        args.folds,
        tuned.candidates.len(),
        tuned.candidates.len() * args.folds,
        tuned.device
    ))?;
    for line in tuned.table() {
        ui.line(line)?;
    }
    let json = serde_json::to_vec_pretty(&tuned.json()).map_err(|e| Failure::found(format!("tune.json: {e}")))?;
    files::all(&args.out, &[("tune.json", &json), ("tune.html", report::html(tuned).as_bytes())])?;
    let report = args.out.join("tune.html");
    ui.line(format_args!(
        "{:.1} s, at most {} networks together; report: {}, numbers: tune.json beside it",
        tuned.seconds,
        tuned.together,
        report.display()
    ))
}

/// The rows to use: not the test part that the data sets apart, and no more than asked for.
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
    Ok((table.select(&rows), Some(rows)))
}

/// Two searches that agree in this compute the same.
fn fingerprint(table: &Table, folds: &[usize], search: &Search) -> String {
    let text = format!("{:?}{folds:?}{:?}{:?}{}{}", table, search.settings, search.hyper, search.patience, search.seed);
    let step = |h: u64, b: u8| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", text.bytes().fold(0xcbf2_9ce4_8422_2325, step))
}

/// Set when the user asks to stop; the search saves what it has first.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Shows how far a search is, and saves it.
struct Watcher<'a> {
    bar: Bar<'a>,
    start: Instant,
    path: PathBuf,
    fingerprint: String,
    saved: Instant,
    /// Epochs of a network, at most.
    epochs: usize,
    /// Network-epochs trained in this run, and left at most.
    trained: usize,
    left: usize,
    largest: usize,
}

/// How often a search is saved.
const SAVE: Duration = Duration::from_secs(20);

impl Watch for Watcher<'_> {
    fn trained(&mut self, networks: usize, epochs: usize) {
        let now = networks * epochs;
        (self.trained, self.left) = (self.trained + now, self.left.saturating_sub(now));
        self.largest = self.largest.max(networks);
        self.bar.done(now as u64);
        let left = self.start.elapsed().as_secs_f64() / self.trained as f64 * self.left as f64;
        self.bar.on(format!("{networks} networks together, at most {left:.0} s left"));
    }

    fn finished(&mut self, epochs: &[usize]) {
        let spared: usize = epochs.iter().map(|e| self.epochs - e).sum();
        self.left = self.left.saturating_sub(spared);
        self.bar.done(spared as u64);
    }

    fn pause(&mut self, progress: &mut dyn FnMut() -> Result<Progress, Failure>) -> Result<(), Failure> {
        let broken_off = INTERRUPTED.load(Ordering::Relaxed);
        if broken_off || self.saved.elapsed() > SAVE {
            progress()?.save(&self.path, &self.fingerprint)?;
            self.saved = Instant::now();
        }
        if !broken_off {
            return Ok(());
        }
        let path = self.path.display();
        Err(Failure::Interrupted(format!("interrupted; {path} has what was done, the same command goes on from it")))
    }
}

/// From now on the user's interrupt (Ctrl-C) ends a search at the next good moment; a second one ends the program at once.
fn listen() -> Result<(), Failure> {
    let heard = || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    ctrlc::set_handler(heard).map_err(|e| Failure::found(format!("cannot listen for interrupts: {e}")))
}
