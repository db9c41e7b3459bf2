//! The study's networks: as many as the device holds are trained at once, those of all seeds; those with dropout also predict with it left on.
use super::{
    Config,
    decompose::{readable, softmax},
    monte_carlo::Predicted,
    results::{Look, Run},
    work::{Clock, Cost},
};
use crate::{
    data::{
        Table, Targets,
        split::{Part, Prepared, Split},
    },
    training::{Evaluation, Hyper, Measure, Member, NEVER, Rule, Sampled, Setup, Shape, State, Trainer, most_together, network},
};
use ridgepole::{Error, Session};

/// A dropout network's predictions for the test rows: logits or values without dropout, and mean and variance of the passes with it.
pub struct Said {
    plain: Vec<f32>,
    sampled: Sampled,
}

/// What the networks of some seeds have in common.
pub struct Fleet<'a> {
    /// The device.
    pub session: &'a Session,
    /// The data of each seed.
    pub splits: &'a [Prepared],
    /// Of each, the training rows whose label is wrong.
    pub wrong: Vec<Part>,
    /// How they are trained.
    pub hyper: &'a Hyper,
    /// Whether classes are predicted.
    pub classes: bool,
    /// Passes of Monte-Carlo dropout.
    pub passes: u64,
    /// What a network costs.
    pub cost: Cost,
}

/// A network with some weights of its run: the last, or the best.
struct Weighed {
    measures: [Measure; 3],
    learned: Option<usize>,
    weights: Vec<f32>,
}

/// What became of a network.
pub struct Network {
    curve: Vec<[Measure; 2]>,
    looks: Vec<Look>,
    last: Weighed,
    best_epoch: usize,
    best: Weighed,
    /// What it said with dropout, if it has any.
    pub said: Option<Said>,
}

impl Network {
    /// As the run of a treatment that ends with the best weights, or with the last.
    pub fn run(&self, best: bool) -> Run {
        let end = if best { &self.best } else { &self.last };
        Run {
            curve: self.curve.clone(),
            looks: self.looks.clone(),
            last: end.measures,
            learned: end.learned,
            best_epoch: self.best_epoch,
            best: self.best.measures,
            weights: end.weights.clone(),
        }
    }
}

/// The masks of dropout, which are the same for all networks of equal p. A mask says what happens to the row in a place of a batch and to
/// the unit in a place of a layer; a seed draws which row and which weights are there, so that seeds tell nothing of each other.
pub const MASKS: u64 = 0x6d61_736b;

/// The epochs after which the test part is looked at: about 20, more densely at the start, and the last.
pub fn looks(epochs: usize) -> Vec<usize> {
    const MOST: usize = 22;
    if epochs <= MOST {
        return (1..=epochs).collect();
    }
    let place = |i: usize| (epochs as f64 * (i as f64 / MOST as f64).powi(2)).round().max(1.0) as usize;
    let mut all: Vec<usize> = (1..=MOST).map(place).collect();
    all.dedup();
    all
}

/// How many seeds are trained at once, of which each has so many networks of a shape: as many as the device's buffers hold.
pub fn seeds_together(session: &Session, table: &Table, config: &Config, split: &Split, networks: usize) -> usize {
    /// Bytes of one part of the data of all seeds, which the host holds too.
    const MOST_BYTES: u64 = 1 << 28;
    let outputs = match &table.targets {
        Targets::Classes { names, .. } => names.len(),
        Targets::Values(_) => 1,
    };
    let (caps, inputs) = (session.gpu().caps(), table.columns.len().next_multiple_of(4));
    let shape = Shape { inputs, hidden: config.hyper.hidden.clone(), outputs, batch_norm: true };
    let longest = [&split.train, &split.validation, &split.test].map(Vec::len).into_iter().max().unwrap_or(1);
    let bytes = 4 * longest * inputs.max(outputs.next_multiple_of(4));
    let data = caps.limits.max_storage_buffer_binding_size.min(MOST_BYTES) as usize / bytes.max(1);
    let fleet = std::env::var("RP_FLEET").map_or(usize::MAX, |v| v.parse().unwrap());
    data.min(most_together(caps, &shape, &config.hyper) / networks).min(fleet).max(1)
}

impl Fleet<'_> {
    /// Trains networks of one shape, all at once; those with dropout then predict the test rows with it left on. `tick` is told the cost of
    /// what has been done.
    ///
    /// # Errors
    /// What planning and running report.
    pub fn train(&self, members: &[Member], clock: &mut Clock, tick: &mut dyn FnMut(f64)) -> Result<Vec<Network>, Error> {
        let Self { session, splits, hyper, classes, cost, .. } = *self;
        let shape = &Shape::new(&splits[0], hyper, members[0].recipe.batch_norm);
        let states = members.iter().map(|m| State::new(shape, m.seed, true)).collect();
        let rule = Rule { watch: [true; 2], patience: Some(NEVER) };
        let setup = Setup { splits, shape, hyper, classes, seed: MASKS, rule };
        let mut trainer = Trainer::new(session, &setup, members, states)?;
        let test = trainer.evaluation(2)?;
        let some = self.wrong.iter().any(|part| part.rows > 0);
        let wrong = some.then(|| trainer.evaluation_on(&self.wrong.iter().collect::<Vec<_>>())).transpose()?;
        clock.to("preparation");
        let n = members.len() as f64;
        let mut looked = vec![Vec::new(); members.len()];
        for epoch in looks(hyper.epochs) {
            trainer.run(epoch - trainer.epoch(), &mut || tick(n * (cost.step + cost.watch)))?;
            clock.to("training");
            let learned = self.learned(&trainer, wrong.as_ref(), members)?;
            for ((looks, test), learned) in looked.iter_mut().zip(trainer.measure(&test)?).zip(learned) {
                looks.push(Look { epoch, test, learned });
            }
            tick(n * cost.look);
            clock.to("looks at the test part");
        }
        let states = trainer.states()?.to_vec();
        trainer.restore_best();
        let [train, validation] = [0, 1].map(|part| trainer.evaluation(part).and_then(|e| trainer.measure(&e)));
        let (train, validation, test) = (train?, validation?, trainer.measure(&test)?);
        let learned = self.learned(&trainer, wrong.as_ref(), members)?;
        drop(trainer);
        tick(n * cost.score);
        clock.to("scoring");
        let mut said = self.said(&setup, members, &states, tick)?.into_iter();
        clock.to("Monte-Carlo dropout");
        let network = |(m, looks): (usize, Vec<Look>)| {
            let (state, look) = (&states[m], looks.last().expect("after the last epoch"));
            let curve: Vec<[Measure; 2]> = state.curve.iter().map(|parts| [parts[0], parts[1]]).collect();
            let [last_train, last_validation] = *curve.last().expect("an epoch");
            let best = state.best.as_ref().map(|(params, _)| network::weights(shape, params));
            Network {
                last: Weighed {
                    measures: [last_train, last_validation, look.test],
                    learned: look.learned,
                    weights: network::weights(shape, &state.params),
                },
                best: Weighed {
                    measures: [train[m], validation[m], test[m]],
                    learned: learned[m],
                    weights: best.expect("the best is kept"),
                },
                best_epoch: state.best_epoch(),
                said: if self.drops(&members[m]) { said.next() } else { None },
                curve,
                looks,
            }
        };
        Ok(looked.into_iter().enumerate().map(network).collect())
    }

    /// How many of its wrong labels each network predicts as they are given; none for values.
    fn learned(&self, trainer: &Trainer, wrong: Option<&Evaluation>, members: &[Member]) -> Result<Vec<Option<usize>>, Error> {
        let Some(wrong) = wrong else { return Ok(vec![self.classes.then_some(0); members.len()]) };
        let count = |(m, measure): (&Member, Measure)| Some((measure.score * self.wrong[m.split].rows as f64).round() as usize);
        Ok(members.iter().zip(trainer.measure(wrong)?).map(count).collect())
    }

    fn drops(&self, m: &Member) -> bool {
        self.passes > 0 && m.recipe.p > 0.0
    }

    /// What those with dropout say of the test rows with it left on.
    fn said(&self, setup: &Setup, members: &[Member], states: &[State], tick: &mut dyn FnMut(f64)) -> Result<Vec<Said>, Error> {
        let (some, theirs): (Vec<Member>, Vec<State>) =
            members.iter().zip(states).filter(|(m, _)| self.drops(m)).map(|(m, s)| (*m, s.clone())).unzip();
        if some.is_empty() {
            return Ok(Vec::new());
        }
        let setup = Setup { rule: Rule { watch: [false; 2], patience: None }, ..*setup };
        let trainer = Trainer::new(self.session, &setup, &some, theirs)?;
        let n = some.len() as f64;
        let sampled = trainer.sample(2, self.passes, &mut |passes| tick(n * passes * self.cost.pass))?;
        Ok(trainer.outputs(2)?.into_iter().zip(sampled).map(|(plain, sampled)| Said { plain, sampled }).collect())
    }
}

/// Adds the predictions of one seed's network for the rows `test`.
pub fn add(to: &mut Predicted, said: &Said, table: &Table, data: &Prepared, test: &[usize]) {
    match &table.targets {
        Targets::Classes { names, of } => {
            to.plain.extend(said.plain.chunks_exact(names.len()).flat_map(softmax));
            to.mean.extend(said.sampled.mean.iter().map(|&v| f64::from(v)));
            to.variance.extend(said.sampled.variance.iter().map(|&v| f64::from(v)));
            to.labels.extend(test.iter().map(|&r| of[r]));
        }
        Targets::Values(of) => {
            to.plain.extend(readable(&said.plain, table, data));
            to.mean.extend(readable(&said.sampled.mean, table, data));
            to.variance.extend(said.sampled.variance.iter().map(|&v| f64::from(v) * data.target_scale.powi(2)));
            to.values.extend(test.iter().map(|&r| of[r]));
        }
    }
}
