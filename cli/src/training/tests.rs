//! Networks trained together equal those trained alone, and training that was interrupted resumes as if it had not been.
use super::{Hyper, Measure, Member, Optimizer, Recipe, Rule, Setup, Shape, State, Trainer, evaluate::Evaluation, model::Mode};
use crate::data::{
    Table,
    prepare::{Prepared, prepare},
    split::{Sizes, Split},
};
use ridgepole::{ElasticNet, Group, Session, check};

struct Task {
    session: Session,
    splits: Vec<Prepared>,
    hyper: Hyper,
    rule: Rule,
}

impl Task {
    /// Two splits whose training parts differ in length.
    fn new(optimizer: Optimizer, patience: Option<u32>, mode: &str) -> Self {
        let table = Table::digits().expect("the digits");
        // Enough rows in a batch for wide workgroups to share them out.
        let (epochs, batch) = if mode == OTHER { (3, 20) } else { (6, 3) };
        let split = |train, seed| {
            let sizes = Sizes { train, validation: Some(40), test: Some(50) };
            prepare(&table, &Split::draw(&table, sizes, seed).expect("enough rows")).expect("near each other")
        };
        Self {
            session: playing(mode),
            splits: vec![split(65, 1), split(90, 2)],
            hyper: Hyper { hidden: vec![16, 8], epochs, batch, lr: 0.01, optimizer },
            rule: Rule { watch: [false, true], patience },
        }
    }

    fn trainer(&self, members: &[Member], states: Option<Vec<State>>) -> (Trainer<'_>, Shape) {
        let shape = Shape::new(&self.splits[0], &self.hyper, members[0].recipe.batch_norm);
        let fresh = || members.iter().map(|m| State::new(&shape, m.seed, self.rule.patience.is_some())).collect();
        let (splits, hyper, rule) = (&self.splits, &self.hyper, self.rule);
        let setup = Setup { splits, shape: &shape, hyper, classes: true, seed: 9, rule };
        (Trainer::new(&self.session, &setup, members, states.unwrap_or_else(fresh)).expect("a trainer"), shape)
    }

    fn train(&self, members: &[Member]) -> (Vec<State>, Vec<[Measure; 3]>) {
        let (mut trainer, _) = self.trainer(members, None);
        trainer.run(self.hyper.epochs, &mut || ()).expect("it trains");
        let states = trainer.states().expect("states").to_vec();
        (states, trainer.score().expect("measures"))
    }
}

/// A session on a device that plays this mode of the checks.
fn playing(mode: &str) -> Session {
    let session = Session::new().expect("the tests need a GPU adapter; `cargo xtask test` installs a software one");
    let caps = check::modes(session.device()).into_iter().find(|(name, _)| *name == mode).expect("a mode of the checks").1;
    session.with_caps(caps)
}

const AS_IS: &str = "as is";
/// Wide workgroups, as on a GPU.
const OTHER: &str = "WebGPU's default limits";

fn members(batch_norm: bool) -> Vec<Member> {
    let prox = Group { prox: ElasticNet { l1: 0.05, ..ElasticNet::NONE }, ..Group::default() };
    let decay = Group { decay: 0.5, ..Group::default() };
    let all = [(Group::default(), 0.0, 0, 1), (prox, 0.3, 1, 1), (decay, 0.3, 0, 2), (prox, 0.0, 1, 2), (decay, 0.9, 0, 1)];
    all.map(|(group, p, split, seed)| Member { recipe: Recipe { group, p, batch_norm }, split, seed }).to_vec()
}

fn together_and_alone(batch_norm: bool, optimizer: Optimizer, patience: Option<u32>, mode: &str) {
    let (task, members) = (Task::new(optimizer, patience, mode), members(batch_norm));
    let (states, measures) = task.train(&members);
    assert!(states.iter().all(|s| s.params.iter().all(|v| v.is_finite())));
    assert_ne!(states[0].params, states[1].params);
    for (m, member) in members.iter().enumerate() {
        let (alone, measure) = task.train(&[*member]);
        // Not all numbers of both in the message.
        assert!(alone[0] == states[m], "network {m}, batch norm {batch_norm}");
        assert_eq!(measure[0], measures[m], "network {m}");
    }
}

#[test]
fn a_network_among_others_is_what_it_is_alone() {
    together_and_alone(false, Optimizer::AdamW, Some(2), AS_IS);
    together_and_alone(true, Optimizer::Sgd, None, AS_IS);
    together_and_alone(true, Optimizer::AdamW, Some(1), AS_IS);
}

#[test]
fn nor_does_it_depend_on_the_other_networks_where_workgroups_are_wide() {
    together_and_alone(false, Optimizer::AdamW, Some(2), OTHER);
    together_and_alone(true, Optimizer::AdamW, Some(1), OTHER);
}

#[test]
fn resumed_training_gives_the_same_bits() {
    for batch_norm in [false, true] {
        let (task, members) = (Task::new(Optimizer::AdamW, Some(2), AS_IS), members(batch_norm));
        let (whole, measures) = task.train(&members);
        let (mut first, _) = task.trainer(&members, None);
        first.run(2, &mut || ()).expect("it trains");
        let half = first.states().expect("states").to_vec();
        assert!(half.iter().all(|s| s.epoch == 2));
        // Without the first: the others do not depend on it.
        let (mut second, _) = task.trainer(&members[1..], Some(half[1..].to_vec()));
        second.run(4, &mut || ()).expect("it trains");
        assert!(second.states().expect("states") == &whole[1..], "resumed, batch norm {batch_norm}");
        assert_eq!(second.score().expect("measures"), measures[1..]);
    }
}

#[test]
fn chunk_boundaries_do_not_depend_on_the_other_networks() {
    let (task, all) = (Task::new(Optimizer::AdamW, None, AS_IS), members(false));
    let rows = |members: &[Member]| {
        let (trainer, _) = task.trainer(members, None);
        let evaluation = Evaluation::new(&task.session, &trainer.model, &trainer.sources[0], members, Mode::Evaluation)
            .expect("an evaluation");
        (evaluation.rows, evaluation.chunks())
    };
    // The first has the shorter training part.
    assert_eq!(rows(&all[..1]), rows(&all));
    assert_eq!(rows(&all[1..2]), (90, 1));
}

#[test]
fn the_length_of_a_round_makes_no_difference() {
    let (task, members) = (Task::new(Optimizer::AdamW, Some(1), AS_IS), members(false));
    let (whole, _) = task.train(&members);
    assert!(whole.iter().any(|s| s.stopped() && s.curve.len() < task.hyper.epochs), "one stops before the end");
    let (mut trainer, _) = task.trainer(&members, None);
    for _ in 0..task.hyper.epochs {
        trainer.run(1, &mut || ()).expect("it trains");
    }
    let curves = |states: &[State]| states.iter().map(|s| s.curve.clone()).collect::<Vec<_>>();
    assert_eq!(curves(trainer.states().expect("states")), curves(&whole));
}

#[test]
fn the_best_weights_are_kept() {
    let task = Task::new(Optimizer::AdamW, Some(2), AS_IS);
    let (states, measures) = task.train(&members(false));
    for (state, scored) in states.iter().zip(measures) {
        let losses: Vec<f64> = state.curve.iter().map(|parts| parts[0].loss).collect();
        let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
        let at = losses.iter().position(|&l| l == best).expect("one is the least") + 1;
        assert_eq!(state.best_epoch(), at, "{losses:?}");
        assert!((scored[1].loss - best).abs() <= 1e-6 * best, "scored with {}, best {best}", scored[1].loss);
        assert_eq!(state.stopped(), losses.len() == at + 2, "{losses:?}, stopped {}", state.stopped());
    }
}
