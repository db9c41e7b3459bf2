//! What a study promises of its runs, on small ones.
use super::*;
use crate::{
    data::{Cells, Task},
    training::{Optimizer, Recipe, Rule, Setup, State, Trainer},
};
use results::{Look, Run};
use treatments::Treatment::*;

fn session() -> Session {
    Session::new().expect("the tests need a GPU adapter; `cargo xtask test` installs a software one")
}

fn config(treatments: &[Treatment], seeds: &[u64]) -> Config {
    Config {
        treatments: treatments.to_vec(),
        strengths: Strengths::NONE,
        tuned: Option::None,
        hyper: Hyper { hidden: vec![16, 8], epochs: 30, batch: 20, lr: 0.01, optimizer: Optimizer::AdamW },
        seeds: seeds.to_vec(),
        noise: 0.3,
        sizes: split::Sizes { train: 60, validation: Some(50), test: Some(70) },
        monte_carlo: 0,
        decompose: Option::None,
    }
}

fn study(config: &Config) -> Study {
    perform(&session(), &Table::digits().expect("the digits"), config, &Ui::listening()).expect("a study")
}

/// All numbers of runs, with NaN equal to itself.
fn same(a: &[Run], b: &[Run]) -> bool {
    let text = |runs: &[Run]| format!("{runs:?}");
    text(a) == text(b)
}

#[test]
fn a_seed_is_the_same_for_all_treatments() {
    // Treatments that do nothing: split, noise, first weights and batches must be those of `none`, bit for bit.
    let study = study(&config(&[None, L1, L1Prox, L2, ElasticNet, WeightDecay, Dropout, BatchNorm, Combined], &[1, 2, 3]));
    let runs = |t: Treatment| &study.outcomes.iter().find(|o| o.treatment == t).expect("it was asked for").runs[..];
    for treatment in [L1, L1Prox, L2, ElasticNet, WeightDecay, Dropout] {
        assert!(same(runs(None), runs(treatment)), "{}", treatment.key());
    }
    assert!(same(runs(BatchNorm), runs(Combined)));
    assert!(!same(runs(None), runs(BatchNorm)));
    let distinct = [0, 1, 2].map(|s| format!("{:?}", runs(None)[s].weights));
    assert!(distinct[0] != distinct[1] && distinct[1] != distinct[2], "seeds differ");
}

#[test]
fn a_seed_is_what_it_is_without_the_others() {
    let mut config = config(&[None, Dropout, Combined], &[3, 4, 5]);
    (config.strengths.p, config.strengths.combined_p, config.monte_carlo, config.hyper.epochs) = (0.3, 0.3, 4, 3);
    let all = study(&config);
    config.seeds = vec![4];
    let one = study(&config);
    assert_eq!((all.wrong.len(), all.wrong[1]), (3, one.wrong[0]));
    for (all, one) in all.outcomes.iter().zip(&one.outcomes) {
        assert!(same(&all.runs[1..2], &one.runs), "{}", one.treatment.key());
        assert!(!same(&all.runs[..1], &one.runs));
    }
    // Nor do the other treatments matter, neither to a network nor to its masks.
    config.treatments = vec![Dropout];
    assert!(same(&study(&config).outcomes[0].runs, &one.outcomes[1].runs));
}

#[test]
fn early_stopping_is_the_best_epoch_of_none() {
    let both = study(&config(&[None, EarlyStopping], &[1, 2]));
    let alone = study(&config(&[EarlyStopping], &[1, 2]));
    let [none, early] = [0, 1].map(|o| &both.outcomes[o].runs);
    assert!(same(early, &alone.outcomes[0].runs));
    for (none, early) in none.iter().zip(early) {
        let losses: Vec<f64> = none.curve.iter().map(|parts| parts[1].loss).collect();
        let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
        assert_eq!(none.best_epoch, 1 + losses.iter().position(|l| *l == least).expect("one is the least"));
        assert!(none.best_epoch < 30, "it overfits: {losses:?}");
        assert_eq!((early.last, early.best, early.best_epoch), (none.best, none.best, none.best_epoch));
        assert_eq!((&early.curve, &early.looks), (&none.curve, &none.looks), "one run, from which another epoch is chosen");
        assert_eq!(early.last[1], none.curve[none.best_epoch - 1][1], "its validation loss is the one that was chosen");
        assert_eq!(early.last[0], none.curve[none.best_epoch - 1][0]);
        assert!(early.weights != none.weights && early.learned < none.learned);
    }
}

#[test]
fn looks_end_where_the_run_ends() {
    for epochs in (1..200).chain([1000, 100_000]) {
        let all = work::looks(epochs);
        assert!(all.is_sorted_by(|a, b| a < b) && all[0] == 1 && all.last() == Some(&epochs), "{all:?}");
        assert_eq!(all.len(), epochs.min(20), "{all:?}");
    }
    let mut config = config(&[None, WeightDecay, Combined], &[1]);
    (config.strengths.combined_p, config.strengths.decay) = (0.3, 0.5);
    for o in study(&config).outcomes {
        let run = &o.runs[0];
        let epochs: Vec<usize> = run.looks.iter().map(|look| look.epoch).collect();
        assert_eq!(epochs, work::looks(30));
        assert_eq!(run.looks.last(), Some(&Look { epoch: 30, test: run.last[2], learned: run.learned }));
        assert_eq!(run.curve.len(), 30);
        assert_eq!([run.last[0], run.last[1]], run.curve[29]);
    }
}

/// Networks on bootstrap samples end as those of the treatment do.
#[test]
fn early_stopping_is_decomposed_with_its_best_weights() {
    let mut config = config(&[None, EarlyStopping], &[1]);
    config.decompose = Some(4);
    let error = |config: &Config| {
        let found = study(config).decomposition.expect("it was asked for");
        [0, 1].map(|i| (found.points[i].treatment, found.squared[i].error.mean))
    };
    let [none, early] = error(&config);
    assert_eq!((none.0, early.0), (None, EarlyStopping));
    assert_ne!(none.1, early.1, "networks that overfit are not those of the best epoch");
    config.treatments.reverse();
    assert_eq!(error(&config), [early, none], "whichever comes first");
}

/// Counted on the host, from the outputs for the training rows.
#[test]
fn labels_learned_by_heart_are_counted() {
    let (session, table) = (session(), Table::digits().expect("the digits"));
    for epochs in [1, 8, 60] {
        let mut config = config(&[None], &[7]);
        config.hyper.epochs = epochs;
        let run = study(&config).outcomes.remove(0).runs.remove(0);
        let split = Split::draw(&table, config.sizes, 7).expect("enough rows");
        let given = noise::draw(&table, &split.train, 0.3, 7).expect("classes");
        assert_eq!(given.wrong.len(), 18);
        let splits = [prepare::prepare_with(&table, &split, &given.targets).expect("near each other")];
        let shape = Shape::new(&splits[0], &config.hyper, false);
        let rule = Rule { watch: [false; 2], patience: Option::None };
        let setup = Setup { splits: &splits, shape: &shape, hyper: &config.hyper, classes: true, seed: 7, rule };
        let member = Member { recipe: Recipe::default(), split: 0, seed: 7 };
        let mut trainer = Trainer::new(&session, &setup, &[member], vec![State::new(&shape, 7, false)]).expect("a trainer");
        trainer.run(epochs, &mut || ()).expect("it trains");
        let predicted = |part: usize| -> Vec<u32> {
            let logits = trainer.outputs(part).expect("outputs").remove(0);
            let top = |row: &[f32]| (0..10).rev().max_by(|&a, &b| row[a].total_cmp(&row[b])).expect("ten") as u32;
            logits.chunks_exact(10).map(top).collect()
        };
        let (Targets::Classes { of: noisy, .. }, Targets::Classes { of: clean, .. }) = (&given.targets, &table.targets) else {
            panic!("classes")
        };
        let train = predicted(0);
        let learned = given.wrong.iter().filter(|&&p| train[p] == noisy[split.train[p]]).count();
        assert_eq!(run.learned, Some(learned), "{epochs} epochs");
        // The training part is scored by its labels as given, the others by the true ones.
        for (part, (rows, labels)) in [(&split.train, noisy), (&split.validation, clean), (&split.test, clean)].iter().enumerate()
        {
            let right = predicted(part).iter().zip(*rows).filter(|(p, r)| **p == labels[**r]).count();
            assert_eq!(run.last[part].score, right as f64 / rows.len() as f64, "part {part}, {epochs} epochs");
        }
        if epochs == 60 {
            assert!(learned > 12, "{learned} of 18: it learns by heart");
        }
    }
}

#[test]
fn without_noise_there_is_nothing_wrong_to_learn() {
    let mut config = config(&[None], &[1, 2]);
    (config.noise, config.hyper.epochs) = (0.0, 2);
    let study = study(&config);
    assert_eq!((&study.wrong[..], study.noise), (&[0, 0][..], 0.0));
    assert!(study.outcomes[0].runs.iter().all(|r| r.learned == Some(0)));
}

#[test]
fn numbers_have_noise_and_no_labels_to_learn() {
    let target = data::Target { column: "target", task: Some(Task::Regress), asks: &data::NETWORKS };
    let table = Table::diabetes(target).expect("the diabetes data");
    let mut config = config(&[None, EarlyStopping], &[1]);
    config.hyper.epochs = 3;
    let perform = |config: &Config| perform(&session(), &table, config, &Ui::listening()).expect("a study");
    let noisy = perform(&config);
    assert!(noisy.wrong.is_empty() && noisy.outcomes.iter().all(|o| o.runs[0].learned.is_none()));
    assert!(noisy.outcomes[0].runs[0].looks.iter().all(|look| look.learned.is_none()));
    config.noise = 0.0;
    assert!(!same(&noisy.outcomes[0].runs, &perform(&config).outcomes[0].runs), "noise is there");
}

/// Its first step makes every parameter infinite or NaN.
#[test]
fn a_run_whose_loss_is_never_a_number_is_told() {
    let mut config = config(&[None, EarlyStopping], &[1]);
    config.hyper = Hyper { epochs: 3, lr: 1e3, optimizer: Optimizer::Sgd, hidden: vec![64, 64, 64, 64], ..config.hyper };
    let study = study(&config);
    let [none, early] = [0, 1].map(|o| &study.outcomes[o].runs[0]);
    assert!(none.curve.iter().all(|c| !c[1].loss.is_finite()), "{:?}", none.curve);
    assert_eq!((none.best_epoch, early.best_epoch), (0, 0));
    assert!(early.last.iter().all(|m| m.loss.is_finite()), "the network before its first step: {:?}", early.last);
    assert!(!none.last[2].loss.is_finite());
}

#[test]
fn classes_and_deviations_that_noise_cannot_keep_are_told() {
    let classes = |of: &[u32]| Targets::Classes { names: ["p", "q", "r"].map(String::from).to_vec(), of: of.to_vec() };
    let table =
        |targets: Targets| Table::new("t", "y", vec!["a".into()], Cells::Numbers((0..9).map(f64::from).collect()), targets);
    let three = table(classes(&[0, 1, 2, 0, 1, 2, 0, 1, 2]));
    let mut config = config(&[None], &[1, 2]);
    // One training row of each class, of which one gets another class.
    (config.noise, config.sizes) = (0.3, split::Sizes { train: 3, ..Default::default() });
    let notices = Drawn::new(&three, &config).expect("enough rows").notices(&three, &config);
    let lost: Vec<&String> =
        notices.iter().filter(|n| n.contains("--label-noise has replaced every training label of class")).collect();
    assert_eq!(lost.len(), 1, "{notices:?}");
    assert!(lost[0].contains("(seed 1)") && lost[0].contains("(seed 2)") || lost[0].contains("(seeds 1, 2)"), "{lost:?}");
    config.noise = 0.0;
    assert_eq!(Drawn::new(&three, &config).expect("enough rows").notices(&three, &config), [""; 0]);
    let flat = table(Targets::Values(vec![5.0; 9]));
    config.noise = 0.5;
    assert_eq!(
        Drawn::new(&flat, &config).expect("enough rows").notices(&flat, &config),
        [
            "notice: the training targets of seeds 1, 2 have one value, so --label-noise, a share of their deviation, adds nothing there"
        ]
    );
}

/// A study tells how far it is by what it is expected to cost: the parts must be all of it.
#[test]
fn progress_reaches_its_end() {
    let mut config = config(&[None, EarlyStopping, Dropout, Combined], &[1, 2]);
    (config.strengths.p, config.strengths.combined_p, config.monte_carlo, config.hyper.epochs) = (0.3, 0.3, 3, 4);
    let (session, table) = (session(), Table::digits().expect("the digits"));
    let drawn = Drawn::new(&table, &config).expect("enough rows");
    for batch_norm in [false, true] {
        let cost = Cost::new(&table, &config, &drawn.splits[0], batch_norm);
        let all = networks(&config, batch_norm);
        let (seed, given) = (config.seeds[0], &drawn.given[0]);
        let data = prepare::prepare_with(&table, &drawn.splits[0], &given.targets).expect("near each other");
        let wrong = data.training_rows(&given.wrong);
        let of_seed =
            OfSeed { session: &session, seed, data: &data, wrong, hyper: &config.hyper, classes: true, passes: 3, cost };
        let member = |t: &Treatment| Member { recipe: t.recipe(&config.strengths), split: 0, seed };
        let members: Vec<Member> = all.iter().map(member).collect();
        let mut told = 0.0;
        of_seed.train(&members, &mut Clock::new(), &mut |cost| told += cost).expect("it trains");
        let expected = cost.networks(all.len(), 4, (1, 3));
        assert!((told / expected - 1.0).abs() < 1e-9, "{told}, {expected} expected");
    }
}
