//! Trains a small network on real data once per treatment and seed, and tells what overfitting costs and what each regularizer gives
//! back.
#[cfg(test)]
mod agreement;
mod args;
pub mod bias_variance;
pub mod calibration;
pub mod decompose;
pub mod differences;
mod json;
pub mod monte_carlo;
pub mod report;
pub mod results;
#[cfg(test)]
mod sample;
pub mod sentences;
mod terminal;
#[cfg(test)]
mod tests;
mod train;
pub mod treatments;
pub mod tuned;
mod winner;
mod work;

pub use args::Args;

use crate::{
    Failure, Ui, adapter,
    data::{
        self, Summary, Table, Targets,
        noise::{self, Given},
        prepare,
        split::{self, Split},
    },
    files, model, text,
    training::{Hyper, Member, Shape, most_together},
};
use monte_carlo::{MonteCarlo, Predicted};
use results::{Outcome, Study};
use ridgepole::Session;
use std::{collections::BTreeMap, time::Instant};
use train::OfSeed;
use treatments::{Strengths, Treatment};
use tuned::{Own, Plan, Tuned};
use winner::Kept;
use work::{Clock, Cost, Work};

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
    /// One run per seed and treatment; a seed draws the split, the noise, the initial weights, the batches and the dropout masks.
    pub seeds: Vec<u64>,
    /// Noise on the training labels, from 0 to 1.
    pub noise: f64,
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
    let written =
        files::report(&args.out, ("results.json", &study.json()), ("report.html", || report::html(&study)), &study.model);
    let written = written.and_then(|()| model::without(&args.out, &study.model));
    ui.line(table.target_line())?;
    let said = study.sentences();
    for line in [said.cost, said.help].into_iter().chain([String::new()]).chain(study.table()).chain([String::new()]) {
        ui.line(line)?;
    }
    ui.line(format_args!(
        "{}: {} training, {} validation and {} test rows; {}; {}",
        study.data.name,
        study.data.parts[0],
        study.data.parts[1],
        study.data.parts[2],
        text::count(study.seeds.len(), "seed"),
        study.device
    ))?;
    for line in study.tuned.iter().flat_map(|t| t.lines(study.strengths)) {
        ui.line(line)?;
    }
    written?;
    let parts: Vec<String> = study.times.iter().map(|(part, seconds)| format!("{part} {seconds:.1} s")).collect();
    ui.note(format_args!("time: {}", parts.join(", ")));
    let report = args.out.join("report.html");
    let model = if study.model.is_empty() { "" } else { ", and the model, model.json" };
    ui.line(format_args!("{:.1} s; report: {}, beside it the numbers, results.json{model}", study.seconds, text::path(&report)))
}

/// Trains everything that `config` asks for.
///
/// # Errors
/// As [`run`].
pub fn perform(session: &Session, table: &Table, config: &Config, ui: &Ui) -> Result<Study, Failure> {
    let start = Instant::now();
    let drawn = Drawn::new(table, config)?;
    drawn.notices(table, config).iter().for_each(|notice| ui.note(notice));
    let mut points = config.decompose.map_or_else(Vec::new, |_| decompose::points(config, &config.strengths));
    let bootstraps = points.len() * config.decompose.unwrap_or(0);
    let cost = [false, true].map(|batch_norm| Cost::new(table, config, &drawn.splits[0], batch_norm));
    let networks: Vec<Vec<Treatment>> = [false, true].map(|bn| networks(config, bn)).into();
    let sampled = |t: &Treatment| t.recipe(&config.strengths).p > 0.0;
    let of_seed = |(all, cost): (&Vec<Treatment>, &Cost)| {
        let some = all.iter().filter(|t| sampled(t)).count();
        if all.is_empty() { 0.0 } else { cost.networks(all.len(), config.hyper.epochs, (some, config.monte_carlo)) }
    };
    let classes = matches!(table.targets, Targets::Classes { .. });
    let plan = config.tuned.map(|folds| Plan::new(&config.treatments, (folds, classes), &config.hyper, config.strengths));
    let trial = |networks: usize| plan.as_ref().map_or(0.0, |plan| cost[0].trial(networks, plan.folds));
    let trials = config.hyper.epochs as f64 * trial(plan.as_ref().map_or(0, Plan::networks));
    let total = config.seeds.len() as f64 * (trials + networks.iter().zip(&cost).map(of_seed).sum::<f64>())
        + config.hyper.epochs as f64 * cost[0].step.of(bootstraps);
    let (work, mut clock) = (Work::new(ui, total), Clock::new());
    let mut outcomes: Vec<Outcome> = config.treatments.iter().map(|&treatment| Outcome { treatment, runs: Vec::new() }).collect();
    let mut said: BTreeMap<Treatment, Predicted> = BTreeMap::new();
    let mut kept = Kept::new();
    let tuned = match &plan {
        Some(plan) => {
            let tick = &mut |seed: u64, networks: usize| {
                work.done(trial(networks), &format!("choosing strengths, {}, seed {seed}", text::count(networks, "network")));
            };
            let (tuned, notices) = Tuned::choose(session, plan, (table, &drawn.training(config)), tick)?;
            notices.iter().chain(&tuned.notices()).for_each(|notice| ui.note(notice));
            // One split is decomposed, the first seed's.
            points = config.decompose.map_or_else(Vec::new, |_| decompose::points(config, &tuned.of_seed(config.strengths, 0)));
            clock.to("choice of strengths");
            Some(tuned)
        }
        None => None,
    };
    for (i, ((&seed, split), given)) in config.seeds.iter().zip(&drawn.splits).zip(&drawn.given).enumerate() {
        let strengths = tuned.as_ref().map_or(config.strengths, |t| t.of_seed(config.strengths, i));
        let data = prepare::prepare_with(table, split, &given.targets)?;
        clock.to("preparation");
        for ((batch_norm, alike), cost) in [false, true].into_iter().zip(&networks).zip(cost) {
            let shape = Shape::new(&data, &config.hyper, batch_norm);
            for some in alike.chunks(most_together(session.gpu().caps(), &shape, &config.hyper).max(1)) {
                let wrong = data.training_rows(&given.wrong);
                let of_seed =
                    OfSeed { session, seed, data: &data, wrong, hyper: &config.hyper, classes, passes: config.monte_carlo, cost };
                let member = |t: &Treatment| Member { recipe: t.recipe(&strengths), split: 0, seed };
                let members: Vec<Member> = some.iter().map(member).collect();
                let what = format!("{}, seed {seed}", text::count(members.len(), "network"));
                let done = of_seed.train(&members, &mut clock, &mut |cost| work.done(cost, &what))?;
                for (treatment, mut network) in some.iter().zip(done) {
                    for o in outcomes.iter_mut().filter(|o| o.treatment.trained_as() == *treatment) {
                        o.runs.push(network.run(o.treatment == Treatment::EarlyStopping));
                    }
                    if i == 0 {
                        kept.insert(*treatment, std::mem::take(&mut network.parameters));
                    }
                    if let Some(passes) = &network.said {
                        train::add(said.entry(*treatment).or_default(), passes, table, &data, &split.test);
                    }
                }
            }
        }
    }
    let count = match &table.targets {
        Targets::Classes { names, .. } => names.len(),
        Targets::Values { .. } => 0,
    };
    let monte_carlo = said.iter().map(|(&t, said)| MonteCarlo::new(t, config.monte_carlo, said, count)).collect();
    clock.to("scoring");
    let decomposition = match config.decompose {
        Some(samples) => {
            let what = format!("{bootstraps} networks on bootstrap samples");
            let mut tick = |networks: u64| work.done(cost[0].step.of(networks as usize), &what);
            let said = decompose::predict(session, table, config, &points, samples, &mut tick)?;
            said.notices.iter().for_each(|notice| ui.note(notice));
            let found = decompose::Decomposed::new(&points, &said, samples);
            clock.to("bootstrap samples");
            Some(found)
        }
        None => None,
    };
    let parts = &drawn.splits[0];
    let model = winner::save(kept, &outcomes, table, config, (parts, &drawn.given[0])).unwrap_or_else(|why| {
        ui.note(format_args!("notice: no model is saved: {why}"));
        Vec::new()
    });
    Ok(Study {
        device: adapter::name(session.info()),
        data: Summary::new(table, [&parts.train, &parts.validation, &parts.test].map(Vec::len)),
        hyper: config.hyper.clone(),
        strengths: tuned.as_ref().map_or(config.strengths, |t| t.overall(config.strengths)),
        tuned,
        noise: config.noise,
        wrong: if count > 0 { drawn.given.iter().map(|g| g.wrong.len()).collect() } else { Vec::new() },
        seeds: config.seeds.clone(),
        outcomes,
        monte_carlo,
        decomposition,
        model,
        times: clock.parts(),
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// What is trained, of networks of one shape: treatments that choose from the same run share it.
fn networks(config: &Config, batch_norm: bool) -> Vec<Treatment> {
    let mut all: Vec<Treatment> = Vec::new();
    for t in config.treatments.iter().map(|t| t.trained_as()) {
        if t.recipe(&config.strengths).batch_norm == batch_norm && !all.contains(&t) {
            all.push(t);
        }
    }
    all
}

/// What each seed draws of the data.
struct Drawn {
    splits: Vec<Split>,
    given: Vec<Given>,
}

impl Drawn {
    fn new(table: &Table, config: &Config) -> Result<Self, Failure> {
        let split = |&seed: &u64| Split::draw(table, config.sizes, seed);
        let splits = config.seeds.iter().map(split).collect::<Result<Vec<_>, _>>()?;
        let noise = |(split, &seed): (&Split, &u64)| noise::draw(table, &split.train, config.noise, seed);
        let given = splits.iter().zip(&config.seeds).map(noise).collect::<Result<_, _>>()?;
        Ok(Self { splits, given })
    }

    /// The training rows of each seed, with their noise.
    fn training(&self, config: &Config) -> Vec<Own<'_>> {
        let drawn = config.seeds.iter().zip(&self.splits).zip(&self.given);
        drawn.map(|((&seed, split), given)| Own { seed, rows: &split.train, given: &given.targets }).collect()
    }

    /// What training rows lack, with the noise that they have.
    fn notices(&self, table: &Table, config: &Config) -> Vec<String> {
        let seeds = || config.seeds.iter().copied().zip(&self.splits);
        let mut all: Vec<String> = Split::notice(table, &self.splits).into_iter().collect();
        all.extend(data::in_training(table, "seed", seeds().map(|(seed, s)| (seed, s.train.clone()))));
        let given = seeds().zip(&self.given).map(|((seed, s), given)| (seed, &s.train[..], &given.targets));
        all.extend(data::lost(table, "seed", given));
        if let Targets::Values(of) = &table.targets {
            let flat = |rows: &[usize]| rows.iter().all(|&r| of[r] == of[rows[0]]);
            let same: Vec<String> = seeds().filter(|(_, s)| flat(&s.train)).map(|(seed, _)| seed.to_string()).collect();
            if config.noise > 0.0 && !same.is_empty() {
                let which = if same.len() == 1 { "seed" } else { "seeds" };
                all.push(format!(
                    "notice: the training targets of {which} {} have one value, so --label-noise, a share of their deviation, adds nothing there",
                    same.join(", ")
                ));
            }
        }
        all
    }
}
