//! Bias and variance of the treatments over their strength: many networks, each trained on a bootstrap sample of one training part, all
//! tested on the same rows.
use super::{
    Config,
    bias_variance::{Decomposition, brier, squared, zero_one},
    treatments::{Knob, Strengths, Treatment},
};
use crate::{
    Failure,
    data::{
        Table, Targets, in_training, lost, noise,
        prepare::{Prepared, prepare_with},
        split::Split,
    },
    training::{Fleet, Member, NEVER, Rule, room},
};
use ridgepole::{HostData, Key, Session, ops::BootstrapIndices};
use serde_json::{Value, json};

/// A treatment at one strength.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Which.
    pub treatment: Treatment,
    /// λ or p; none where there is nothing to vary.
    pub strength: Option<f64>,
    /// All strengths of the study at this point.
    pub strengths: Strengths,
}

/// Factors of the given λ.
const FACTORS: [f64; 6] = [0.03, 0.1, 0.3, 1.0, 3.0, 10.0];
/// The probabilities of dropping a unit.
const DROPS: [f64; 6] = [0.1, 0.2, 0.35, 0.5, 0.65, 0.8];

impl Point {
    /// A treatment at every strength; where it has two, both λ are scaled together, or p is varied alone.
    pub fn all(treatment: Treatment, base: &Strengths) -> Vec<Self> {
        let knobs = treatment.knobs();
        if let Some(p) = knobs.iter().find(|k| k.is_share()) {
            let point = |&strength: &f64| {
                let mut strengths = *base;
                *(p.of)(&mut strengths) = strength;
                Self { treatment, strength: Some(strength), strengths }
            };
            return DROPS.iter().map(point).collect();
        }
        let Some(first) = knobs.first() else { return vec![Self { treatment, strength: None, strengths: *base }] };
        let point = |&factor: &f64| {
            let mut strengths = *base;
            knobs.iter().for_each(|k| times((k.of)(&mut strengths), factor));
            Self { treatment, strength: Some(first.get(&strengths)), strengths }
        };
        FACTORS.iter().map(point).collect()
    }

    /// What the strength is called.
    pub fn name(&self) -> &'static str {
        match self.treatment.knobs() {
            [] => "",
            knobs if knobs.iter().any(Knob::is_share) => "p",
            [_] => "λ",
            _ => "λ1 (λ2 with it)",
        }
    }
}

/// Multiplies, to three digits, so that the value shown is the one used.
fn times(value: &mut f64, factor: f64) {
    *value = format!("{:.2e}", *value * factor).parse().unwrap_or(*value);
}

/// Every treatment at every strength, around these.
pub fn points(config: &Config, base: &Strengths) -> Vec<Point> {
    config.treatments.iter().flat_map(|&t| Point::all(t, base)).collect()
}

/// Bias and variance of every point.
#[derive(Clone, Debug)]
pub struct Decomposed {
    /// Networks of each point.
    pub samples: usize,
    /// What was decomposed.
    pub points: Vec<Point>,
    /// Of the squared loss: of values, or of the probabilities of the classes (the Brier score).
    pub squared: Vec<Decomposition>,
    /// Of the 0–1 loss, after Domingos; none for values.
    pub zero_one: Vec<Decomposition>,
}

impl Decomposed {
    /// Of these predictions.
    pub fn new(points: &[Point], said: &Predictions, samples: usize) -> Self {
        let of = |f: &dyn Fn(&[Vec<f64>]) -> Decomposition| said.outputs.iter().map(|o| f(o)).collect();
        let (squared, zero_one) = match &said.truth {
            Truth::Values(values) => (of(&|o| squared(o, values)), Vec::new()),
            Truth::Classes(labels, n) => (of(&|o| brier(o, labels, *n)), of(&|o| zero_one(o, labels, *n))),
        };
        Self { samples, points: points.to_vec(), squared, zero_one }
    }

    /// All numbers.
    pub fn json(&self) -> Value {
        let point = |(i, p): (usize, &Point)| {
            json!({
                "treatment": p.treatment.key(), "strength": p.strength, "strengths": p.strengths,
                "squared": self.squared[i], "zero_one": self.zero_one.get(i),
            })
        };
        json!({ "samples": self.samples, "points": self.points.iter().enumerate().map(point).collect::<Vec<_>>() })
    }
}

/// The outputs of `samples` networks for each point, on the test part.
pub struct Predictions {
    /// By point, then by network: rows × columns; probabilities of the classes, or values in the target's own unit.
    pub outputs: Vec<Vec<Vec<f64>>>,
    /// The test part's classes, or values.
    pub truth: Truth,
    /// Notices of features and classes that bootstrap samples lack.
    pub notices: Vec<String>,
}

/// The true targets.
pub enum Truth {
    /// A class for each row, and the number of classes.
    Classes(Vec<u32>, usize),
    /// A value for each row.
    Values(Vec<f64>),
}

/// Trains `samples` networks at every point, each on a bootstrap sample of the training part that the first seed draws, with its noise. All
/// have the same number of epochs; those of early stopping predict with the weights of their best one.
///
/// # Errors
/// What planning and running report.
pub fn predict(
    session: &Session,
    table: &Table,
    config: &Config,
    points: &[Point],
    samples: usize,
    tick: &mut dyn FnMut(u64),
) -> Result<Predictions, Failure> {
    let seed = config.seeds[0];
    let split = Split::draw(table, config.sizes, seed)?;
    let (rows, key) = (split.train.len(), Key { seed, stream: 0x626f_6f74, step: 0, first_element: 0 });
    let op = BootstrapIndices { rows, picks: rows, sets: samples, key };
    let HostData::U32(index) = session.run(&op, &[])?.remove(0) else { unreachable!("indices are words") };
    let sample = |s: usize| {
        let train = (0..rows).map(|i| split.train[index[i * samples + s] as usize]).collect();
        Split { train, ..split.clone() }
    };
    let given = noise::draw(table, &split.train, config.noise, seed)?.targets;
    let drawn: Vec<Split> = (0..samples).map(sample).collect();
    let numbered = || (1..).zip(&drawn);
    let mut notices = in_training(table, "bootstrap sample", numbered().map(|(n, s)| (n, s.train.clone())));
    notices.extend(lost(table, "bootstrap sample", numbered().map(|(n, s)| (n, &s.train[..], &given))));
    let splits = drawn.iter().map(|s| prepare_with(table, s, &given)).collect::<Result<Vec<Prepared>, _>>()?;
    room(session.gpu().caps(), &splits, "use fewer with --train-rows and --test-rows, or fewer networks with --decompose")?;
    let classes = matches!(table.targets, Targets::Classes { .. });
    let mut outputs = vec![Vec::new(); points.len()];
    for early in [false, true] {
        let mine: Vec<usize> =
            (0..points.len()).filter(|&i| (points[i].treatment == Treatment::EarlyStopping) == early).collect();
        let recipe = |i: usize| points[i].treatment.recipe(&points[i].strengths);
        let member = |i: usize, s: usize| Member { recipe: recipe(i), split: s, seed: seed.wrapping_add(s as u64) };
        let members: Vec<Member> = mine.iter().flat_map(|&i| (0..samples).map(move |s| member(i, s))).collect();
        let rule = Rule { watch: [false; 2], patience: early.then_some(NEVER) };
        let fleet = Fleet { splits: &splits, hyper: &config.hyper, classes, seed, rule };
        let said = fleet.train(session, &members, &mut |trained| tick(trained as u64), |trainer| {
            trainer.restore_best();
            trainer.outputs(2)
        })?;
        for ((said, member), k) in said.iter().zip(&members).zip(0..) {
            outputs[mine[k / samples]].push(readable(said, table, &splits[member.split]));
        }
    }
    let truth = match &table.targets {
        Targets::Classes { names, of } => Truth::Classes(split.test.iter().map(|&r| of[r]).collect(), names.len()),
        Targets::Values(of) => Truth::Values(split.test.iter().map(|&r| of[r]).collect()),
    };
    Ok(Predictions { outputs, truth, notices })
}

/// Probabilities from logits, or values in the target's own unit.
pub fn readable(values: &[f32], table: &Table, data: &Prepared) -> Vec<f64> {
    match &table.targets {
        Targets::Classes { names, .. } => values.chunks_exact(names.len()).flat_map(softmax).collect(),
        Targets::Values { .. } => values.iter().map(|&v| data.target_mean + data.target_scale * f64::from(v)).collect(),
    }
}

/// Probabilities of the classes.
pub fn softmax(logits: &[f32]) -> Vec<f64> {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let all: Vec<f64> = logits.iter().map(|&v| f64::from(v - top).exp()).collect();
    let total: f64 = all.iter().sum();
    all.iter().map(|v| v / total).collect()
}
