//! Trains a small network on real data once per treatment, and shows what each regularizer does to the gap between what a
//! network has seen and what it has not.
mod args;
pub mod bias_variance;
pub mod calibration;
pub(crate) mod chain;
pub(crate) mod csv_table;
pub mod data;
#[cfg(test)]
mod gradient_test;
mod idx;
mod model;
pub mod net;
pub mod ops;
pub mod report;
pub mod results;
pub mod split;
pub mod train;
pub mod treatments;

pub use args::Args;

use crate::{Failure, Ui, adapter, files};
use data::{Table, Targets};
use results::{About, Outcome, Study};
use ridgepole::Session;
use split::Split;
use std::time::Instant;
use train::Hyper;
use treatments::{Strengths, Treatment};

/// Everything that decides what a study computes.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which treatments.
    pub treatments: Vec<Treatment>,
    /// How strong they are.
    pub strengths: Strengths,
    /// How networks are trained.
    pub hyper: Hyper,
    /// One run per seed and treatment; a seed draws the split, the first weights, the batches and the masks.
    pub seeds: Vec<u64>,
    /// How many rows each part gets.
    pub sizes: split::Sizes,
}

/// Runs the study and writes what it found.
///
/// # Errors
/// [`Failure::Usage`] for options and data that do not fit, [`Failure::Found`] if the device fails.
pub fn run(args: &Args, ui: &Ui) -> Result<(), Failure> {
    let table = args.table()?;
    let config = args.config(table.test_from.unwrap_or(table.rows()))?;
    // Asked before the work, so that a bad place is not found out after it.
    files::folder(&args.out)?;
    let session = adapter::open(args.adapter.as_deref())?;
    let study = perform(&session, &table, &config, ui)?;
    ui.line(format_args!(
        "{}: {} rows to train with, {} to validate, {} to test; {} seeds, mean ± standard deviation; {}",
        study.data.name,
        study.data.parts[0],
        study.data.parts[1],
        study.data.parts[2],
        study.seeds.len(),
        study.device
    ))?;
    for line in study.table() {
        ui.line(line)?;
    }
    let json = serde_json::to_vec_pretty(&study.json()).map_err(|e| Failure::found(format!("results.json: {e}")))?;
    files::all(&args.out, &[("results.json", &json), ("report.html", report::html(&study).as_bytes())])?;
    let report = args.out.join("report.html");
    ui.line(format_args!("{:.1} s; report: {}, numbers: results.json beside it", study.seconds, report.display()))
}

/// Trains everything that `config` asks for.
///
/// # Errors
/// As [`run`].
pub fn perform(session: &Session, table: &Table, config: &Config, ui: &Ui) -> Result<Study, Failure> {
    let start = Instant::now();
    let classes = matches!(table.targets, Targets::Classes { .. });
    let total = config.seeds.len() * config.treatments.len() * config.hyper.epochs;
    let progress = ui.progress("study", total as u64);
    let mut outcomes: Vec<Outcome> = config.treatments.iter().map(|&treatment| Outcome { treatment, runs: Vec::new() }).collect();
    let mut parts = [0; 3];
    for &seed in &config.seeds {
        let data = split::prepare(table, &Split::draw(table, config.sizes, seed)?);
        parts = data.parts.each_ref().map(|p| p.rows);
        for outcome in &mut outcomes {
            progress.on(format!("{}, seed {seed}", outcome.treatment.key()));
            let recipe = outcome.treatment.recipe(&config.strengths);
            let run = train::train(session, &data, classes, &config.hyper, &recipe, seed, &mut || progress.done(1))?;
            outcome.runs.push(run);
        }
    }
    Ok(Study {
        device: adapter::name(session.info()),
        data: About::new(table, parts),
        hyper: config.hyper.clone(),
        strengths: config.strengths,
        seeds: config.seeds.clone(),
        outcomes,
        seconds: start.elapsed().as_secs_f64(),
    })
}
