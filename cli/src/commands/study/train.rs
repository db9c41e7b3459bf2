//! The study's networks: those of one seed are trained at once, and those with dropout also predict with it left on.
use super::{
    decompose::{readable, softmax},
    monte_carlo::Predicted,
    results::{Look, Run},
    work::{Clock, Cost, looks},
};
use crate::{
    data::{
        Table, Targets,
        prepare::{Part, Prepared},
    },
    training::{Evaluation, Hyper, Measure, Member, NEVER, Rule, Sampled, Setup, Shape, State, Trainer, network},
};
use ridgepole::{Error, Session};

/// A dropout network's predictions for the test rows: logits or values without dropout, and mean and variance of the passes with it.
pub struct Said {
    plain: Vec<f32>,
    sampled: Sampled,
}

/// What the networks of a seed have in common.
pub struct OfSeed<'a> {
    /// The device.
    pub session: &'a Session,
    /// The seed, which draws the masks of dropout too.
    pub seed: u64,
    /// Its data.
    pub data: &'a Prepared,
    /// The training rows whose label is wrong.
    pub wrong: Part,
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

/// All parameters of a network, and the running means and variances of normalized layers.
pub type Parameters = (Vec<f32>, Vec<Vec<f32>>);

/// What became of a network.
pub struct Network {
    curve: Vec<[Measure; 2]>,
    looks: Vec<Look>,
    last: Weighed,
    best_epoch: usize,
    best: Weighed,
    /// Its parameters and running statistics, those of the last epoch and the best ones.
    pub parameters: [Parameters; 2],
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

impl OfSeed<'_> {
    /// Trains networks of one shape, all at once; those with dropout then predict the test rows with it left on. `tick` is told the cost of
    /// what has been done.
    ///
    /// # Errors
    /// What planning and running report.
    pub fn train(&self, members: &[Member], clock: &mut Clock, tick: &mut dyn FnMut(f64)) -> Result<Vec<Network>, Error> {
        let Self { session, seed, data, hyper, classes, cost, .. } = *self;
        let shape = &Shape::new(data, hyper, members[0].recipe.batch_norm);
        let states = members.iter().map(|m| State::new(shape, m.seed, true)).collect();
        let rule = Rule { watch: [true; 2], patience: Some(NEVER) };
        let setup = Setup { splits: std::slice::from_ref(data), shape, hyper, classes, seed, rule };
        let mut trainer = Trainer::new(session, &setup, members, states)?;
        let test = trainer.evaluation(2)?;
        let some = self.wrong.rows > 0;
        let wrong = some.then(|| trainer.evaluation_on(&[&self.wrong])).transpose()?;
        clock.to("preparation");
        let n = members.len();
        let mut looked = vec![Vec::new(); members.len()];
        for epoch in looks(hyper.epochs) {
            trainer.run(epoch - trainer.epoch(), &mut || tick(cost.step.of(n) + cost.watch.of(n)))?;
            clock.to("training");
            let learned = self.learned(&trainer, wrong.as_ref(), members.len())?;
            for ((looks, test), learned) in looked.iter_mut().zip(trainer.measure(&test)?).zip(learned) {
                looks.push(Look { epoch, test, learned });
            }
            tick(cost.look.of(n));
            clock.to("looks at the test part");
        }
        let states = trainer.states()?.to_vec();
        trainer.restore_best();
        let [train, validation] = [0, 1].map(|part| trainer.evaluation(part).and_then(|e| trainer.measure(&e)));
        let (train, validation, test) = (train?, validation?, trainer.measure(&test)?);
        let learned = self.learned(&trainer, wrong.as_ref(), members.len())?;
        drop(trainer);
        tick(cost.score.of(n));
        clock.to("scoring");
        let mut said = self.said(&setup, members, &states, tick)?.into_iter();
        if said.len() > 0 {
            clock.to("Monte-Carlo dropout");
        }
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
                parameters: [(state.params.clone(), state.running.clone()), state.best.clone().expect("the best is kept")],
                said: if self.drops(&members[m]) { said.next() } else { None },
                curve,
                looks,
            }
        };
        Ok(looked.into_iter().enumerate().map(network).collect())
    }

    /// How many of its wrong labels each network predicts as they are given; none for values.
    fn learned(&self, trainer: &Trainer, wrong: Option<&Evaluation>, networks: usize) -> Result<Vec<Option<usize>>, Error> {
        let Some(wrong) = wrong else { return Ok(vec![self.classes.then_some(0); networks]) };
        let count = |measure: Measure| Some((measure.score * self.wrong.rows as f64).round() as usize);
        Ok(trainer.measure(wrong)?.into_iter().map(count).collect())
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
        let sampled = trainer.sample(2, self.passes, &mut |passes| tick(passes * self.cost.pass.of(some.len())))?;
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
