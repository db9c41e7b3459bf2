//! The study's networks: those of one seed are trained at once, and those with dropout also predict with it left on.
use super::{
    decompose::{readable, softmax},
    monte_carlo::Predicted,
    results::Run,
};
use crate::{
    data::{Table, Targets, split::Prepared},
    training::{Hyper, Member, Rule, Sampled, Setup, Shape, State, Trainer, network},
};
use ridgepole::{Error, Session};

/// A dropout network's predictions for the test rows: logits or values without dropout, and mean and variance of the passes with it.
pub struct Said {
    plain: Vec<f32>,
    sampled: Sampled,
}

/// Trains networks that differ only in their regularization, all at once; those with dropout then predict the test rows in `passes`
/// passes.
///
/// # Errors
/// What planning and running report.
pub fn train(
    session: &Session,
    splits: &[Prepared],
    classes: bool,
    hyper: &Hyper,
    (members, seed): (&[Member], u64),
    passes: u64,
    tick: &mut dyn FnMut(),
) -> Result<Vec<(Run, Option<Said>)>, Error> {
    let shape = &Shape::new(&splits[0], hyper, members[0].recipe.batch_norm);
    let states = members.iter().map(|m| State::new(shape, m.seed, false)).collect();
    let rule = Rule { watch: [true; 2], patience: None };
    let setup = Setup { splits, shape, hyper, classes, seed, rule };
    let mut trainer = Trainer::new(session, &setup, members, states)?;
    trainer.run(hyper.epochs, tick)?;
    let last = trainer.score()?;
    let states = trainer.states()?.to_vec();
    drop(trainer);
    let drops = |m: &Member| passes > 0 && m.recipe.p > 0.0;
    let (some, theirs): (Vec<Member>, Vec<State>) =
        members.iter().zip(&states).filter(|(m, _)| drops(m)).map(|(m, s)| (*m, s.clone())).unzip();
    let mut said = if some.is_empty() {
        Vec::new()
    } else {
        let trainer = Trainer::new(session, &setup, &some, theirs)?;
        let sampled = trainer.sample(2, passes)?;
        trainer.outputs(2)?.into_iter().zip(sampled).map(|(plain, sampled)| Said { plain, sampled }).collect()
    }
    .into_iter();
    let run = |((member, state), last): ((&Member, State), [_; 3])| {
        let run = Run {
            curve: state.curve.iter().map(|parts| [parts[0], parts[1]]).collect(),
            looks: Vec::new(),
            last,
            learned: None,
            best_epoch: 0,
            best: last,
            weights: network::weights(shape, &state.params),
        };
        (run, if drops(member) { said.next() } else { None })
    };
    Ok(members.iter().zip(states).zip(last).map(run).collect())
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
