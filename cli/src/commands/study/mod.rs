//! Trains a small network on real data once per treatment, and shows what each regularizer does to the gap between training and
//! test scores.
mod args;
pub mod bias_variance;
pub mod calibration;
pub mod decompose;
pub mod monte_carlo;
pub mod report;
pub mod results;
mod train;
pub mod treatments;
pub mod tuned;

pub use args::Args;

use crate::{
    Failure, Progress, Ui, adapter,
    data::{
        self, Summary, Table, Targets,
        split::{self, Split},
    },
    files, text,
    training::{Hyper, Member},
};
use monte_carlo::{MonteCarlo, Predicted};
use results::{Outcome, Study};
use ridgepole::Session;
use std::{collections::BTreeMap, time::Instant};
use treatments::{Strengths, Treatment};
use tuned::{Plan, Tuned};

/// Everything that decides what a study computes.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which treatments.
    pub treatments: Vec<Treatment>,
    /// How strong they are.
    pub strengths: Strengths,
    /// Whether each seed chooses them instead, by cross-validation in so many folds of its training rows.
    pub tuned: Option<usize>,
    /// How networks are trained.
    pub hyper: Hyper,
    /// One run per seed and treatment; a seed draws the split, the initial weights, the batches and the dropout masks.
    pub seeds: Vec<u64>,
    /// How many rows each part gets.
    pub sizes: split::Sizes,
    /// Monte-Carlo dropout passes over the test part, for treatments with dropout; none, or at least two.
    pub monte_carlo: u64,
    /// Networks on bootstrap samples for each treatment and strength, if bias and variance are asked for.
    pub decompose: Option<usize>,
}

/// Runs the study and writes what it found.
///
/// # Errors
/// [`Failure::Usage`] for options and data that do not fit, [`Failure::Found`] if the device fails.
pub fn run(args: &Args, ui: &Ui) -> Result<(), Failure> {
    let table = args.table()?;
    table.say(ui);
    let config = args.config(table.test_from.unwrap_or(table.rows()))?;
    // Before the work, so that a folder that cannot be written to is not found after it.
    let held = files::folder(&args.out, "study")?;
    held.notice().into_iter().for_each(|notice| ui.note(notice));
    let session = adapter::open(args.adapter.as_deref())?;
    let study = perform(&session, &table, &config, ui)?;
    // Files first: whoever reads the words may be gone.
    let written = files::report(&args.out, ("results.json", &study.json()), ("report.html", || report::html(&study)));
    ui.line(table.target_line())?;
    ui.line(format_args!(
        "{}: {} training, {} validation and {} test rows; {}; {}",
        study.data.name,
        study.data.parts[0],
        study.data.parts[1],
        study.data.parts[2],
        study.spread(),
        study.device
    ))?;
    let chosen = study.tuned.as_ref().map(|t| t.lines(study.strengths));
    for line in chosen.into_iter().flatten().chain(study.table()) {
        ui.line(line)?;
    }
    written?;
    let report = args.out.join("report.html");
    ui.line(format_args!("{:.1} s; report: {}, numbers: results.json beside it", study.seconds, text::path(&report)))
}

/// Trains everything that `config` asks for.
///
/// # Errors
/// As [`run`].
pub fn perform(session: &Session, table: &Table, config: &Config, ui: &Ui) -> Result<Study, Failure> {
    let start = Instant::now();
    let classes = matches!(table.targets, Targets::Classes { .. });
    let mut points = config.decompose.map_or_else(Vec::new, |_| decompose::points(config, &config.strengths));
    let bootstraps = points.len() * config.decompose.unwrap_or(0);
    let plan = config.tuned.map(|folds| Plan::new(&config.treatments, (folds, classes), &config.hyper, config.strengths));
    let trial = plan.as_ref().map_or(0, Plan::networks);
    let total = (config.seeds.len() * (config.treatments.len() + trial) + bootstraps) * config.hyper.epochs;
    let progress = ui.progress("study", total as u64);
    let mut outcomes: Vec<Outcome> = config.treatments.iter().map(|&treatment| Outcome { treatment, runs: Vec::new() }).collect();
    let mut said: BTreeMap<Treatment, Predicted> = BTreeMap::new();
    let mut parts = [0; 3];
    let draw = |&seed: &u64| Split::draw(table, config.sizes, seed);
    let splits = config.seeds.iter().map(draw).collect::<Result<Vec<_>, _>>()?;
    let training = config.seeds.iter().copied().zip(splits.iter().map(|s| s.train.clone()));
    data::in_training(table, "seed", training).iter().for_each(|notice| ui.note(notice));
    let tuned = match &plan {
        Some(plan) => {
            let rows: Vec<_> = config.seeds.iter().zip(&splits).map(|(&seed, s)| (seed, table, &s.train[..])).collect();
            let mut tick = |seed: usize, networks: usize| {
                progress.done(networks as u64);
                let left = eta(start, &progress, total);
                progress.on(format!("choosing strengths, {trial} networks, seed {}{left}", config.seeds[seed]));
            };
            let (tuned, notices) = Tuned::choose(session, plan, &rows, &mut tick)?;
            notices.iter().chain(&tuned.notices()).for_each(|notice| ui.note(notice));
            // One split is decomposed, the first seed's.
            points = config.decompose.map_or_else(Vec::new, |_| decompose::points(config, &tuned.of_seed(config.strengths, 0)));
            Some(tuned)
        }
        None => None,
    };
    for (place, (&seed, split)) in config.seeds.iter().zip(&splits).enumerate() {
        let strengths = tuned.as_ref().map_or(config.strengths, |t| t.of_seed(config.strengths, place));
        let data = [split::prepare(table, split)?];
        parts = data[0].parts.each_ref().map(|p| p.rows);
        for batch_norm in [false, true] {
            let recipe = |o: &Outcome| o.treatment.recipe(&strengths);
            let mut alike: Vec<&mut Outcome> = outcomes.iter_mut().filter(|o| recipe(o).batch_norm == batch_norm).collect();
            let members: Vec<_> = alike.iter().map(|o| Member { recipe: recipe(o), split: 0, seed }).collect();
            if members.is_empty() {
                continue;
            }
            let left = eta(start, &progress, total);
            progress.on(format!("{}, seed {seed}{left}", text::count(members.len(), "network")));
            let done = &mut || progress.done(members.len() as u64);
            let runs = train::train(session, &data, classes, &config.hyper, (&members, seed), config.monte_carlo, done)?;
            for (o, (run, sampled)) in alike.iter_mut().zip(runs) {
                o.runs.push(run);
                if let Some(sampled) = sampled {
                    train::add(said.entry(o.treatment).or_default(), &sampled, table, &data[0], &split.test);
                }
            }
        }
    }
    let count = match &table.targets {
        Targets::Classes { names, .. } => names.len(),
        Targets::Values { .. } => 0,
    };
    let monte_carlo = said.iter().map(|(&t, said)| MonteCarlo::new(t, config.monte_carlo, said, count)).collect();
    let decomposition = match config.decompose {
        Some(samples) => {
            let mut tick = |networks: u64| {
                progress.done(networks);
                progress.on(format!("{bootstraps} networks on bootstrap samples{}", eta(start, &progress, total)));
            };
            let said = decompose::predict(session, table, config, &points, samples, &mut tick)?;
            said.notices.iter().for_each(|notice| ui.note(notice));
            Some(decompose::Decomposed::new(&points, &said, samples))
        }
        None => None,
    };
    Ok(Study {
        device: adapter::name(session.info()),
        data: Summary::new(table, parts),
        hyper: config.hyper.clone(),
        strengths: tuned.as_ref().map_or(config.strengths, |t| t.overall(config.strengths)),
        tuned,
        noise: 0.0,
        wrong: Vec::new(),
        seeds: config.seeds.clone(),
        outcomes,
        monte_carlo,
        decomposition,
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// The remaining time, at the pace so far.
fn eta(start: Instant, progress: &Progress, total: usize) -> String {
    let done = progress.position() as f64;
    if done == 0.0 {
        return String::new();
    }
    format!(", about {:.0} s left", start.elapsed().as_secs_f64() / done * (total as f64 - done))
}
