//! The choice: what decides it, and what it does not look at.
use super::*;
use crate::{
    commands::study::args::DEFAULTS,
    data::split::{Sizes, Split},
    training::{Hyper, Optimizer},
};

/// Held-out folds of ten rows with so many right; none for a network that diverged.
fn tried(right: &[Option<f64>]) -> Tried {
    let measure = |r: &Option<f64>| Measure { loss: r.unwrap_or(f64::NAN), score: r.unwrap_or(0.9) / 10.0 };
    Tried { folds: right.iter().map(measure).collect(), rows: vec![10; right.len()] }
}

fn search(treatment: Treatment, score: impl Fn(usize) -> Vec<Vec<Option<f64>>>, classes: bool) -> Search {
    let grid = Grid::new(treatment);
    let seeds = score(0).len();
    let all = (0..seeds).map(|s| (0..grid.count()).map(|c| tried(&score(c)[s])).collect()).collect();
    Search::new(treatment, grid, all, classes)
}

fn tuned(searches: Vec<Search>) -> Tuned {
    let seeds = (1..=searches[0].chosen.len() as u64).collect();
    Tuned { folds: 3, classes: true, seeds, searches }
}

#[test]
fn the_best_is_chosen_and_of_equal_ones_the_strongest() {
    // 0.7 + 0.8 + 0.9 and 0.9 + 0.8 + 0.7 are different numbers, but as many rows.
    let sums = [0.7 + 0.8 + 0.9f64, 0.9 + 0.8 + 0.7];
    assert_ne!(sums[0].to_bits(), sums[1].to_bits());
    let scores = |c: usize| match c {
        2 => vec![vec![Some(7.0), Some(8.0), Some(9.0)], vec![Some(9.0); 3]],
        5 => vec![vec![Some(9.0), Some(8.0), Some(7.0)], vec![Some(1.0); 3]],
        _ => vec![vec![Some(5.0), Some(8.0), Some(7.0)], vec![Some(4.0); 3]],
    };
    let found = search(Treatment::L2, scores, true);
    assert_eq!((&found.chosen[..], found.overall), (&[5, 2][..], 2), "each seed by its own rows, all together by all");
    // As an error, lower is better: many are equally low.
    let errors = search(Treatment::L2, scores, false);
    assert_eq!((&errors.chosen[..], errors.overall), (&[7, 5][..], 7));
    let held = found.score(2, true);
    assert_eq!(held.score, 51.0 / 60.0);
    assert!((held.se - 0.03415650255319866).abs() < 1e-15, "{}", held.se);
    let error = errors.score(2, false).score;
    assert!((error - f64::sqrt((0.49 + 0.64 + 0.81 + 3.0 * 0.81) / 6.0)).abs() < 1e-15);
    // Of two strengths: the place on both axes, then that of the first.
    let equal = search(Treatment::Combined, |_| vec![vec![Some(5.0)]], true);
    assert_eq!(equal.chosen, [equal.grid.count() - 1]);
    let diagonal = |c| vec![vec![Some(if [2, 4, 6].contains(&c) { 6.0 } else { 5.0 })]];
    assert_eq!(search(Treatment::Combined, diagonal, true).grid.places(6), [2, 0]);
    assert_eq!(search(Treatment::Combined, diagonal, true).chosen, [6]);
}

#[test]
fn what_diverged_is_not_chosen() {
    let some = |c: usize| vec![vec![if c > 3 { None } else { Some(c as f64) }, Some(9.0)]];
    let found = search(Treatment::Dropout, some, true);
    assert_eq!((&found.chosen[..], found.overall), (&[3][..], 3));
    assert!(found.score(5, true).score.is_nan());
    let lost = tuned(vec![search(Treatment::Dropout, |_| vec![vec![Some(1.0)], vec![None]], true)]);
    assert_eq!(lost.searches[0].chosen, [7, 0]);
    let all = lost.notices();
    assert_eq!(
        all[all.len() - 1],
        "notice: --tuned: dropout: every network diverged on some held-out fold of seed 2; p 0.1 is used"
    );
    assert_eq!(lost.json(DEFAULTS)["treatments"][0]["candidates"][0]["score"], serde_json::Value::Null);
    assert!(lost.lines(DEFAULTS).iter().any(|l| l.ends_with("diverged")));
}

#[test]
fn choices_at_an_end_are_said() {
    let best = |at: [usize; 3]| move |c: usize| at.iter().map(|&a| vec![Some(if a == c { 9.0 } else { 1.0 })]).collect();
    let found = tuned(vec![
        search(Treatment::None, |_| vec![vec![Some(5.0)]; 3], true),
        search(Treatment::L2, best([0, 7, 7]), true),
        search(Treatment::Dropout, best([3, 3, 4]), true),
        search(Treatment::ElasticNet, best([0, 5, 6]), true),
    ]);
    let grid = &found.searches[3].grid;
    let ends = found.searches.iter().map(Search::at_ends).collect::<Vec<_>>();
    assert_eq!(ends, [vec![], vec![[1, 2]], vec![[0, 0]], vec![[1, 1], [2, 1]]]);
    let notices = found.notices();
    assert_eq!(notices.len(), 6);
    let l2 = found.searches[1].grid.axes[0].values;
    let said = |v: f64| crate::number::exact(v);
    assert_eq!(
        notices[..2],
        [
            format!(
                "notice: --tuned: L2: 1 of 3 seeds chose λ = {}, the weakest that was tried: what is weaker might do better",
                said(l2[0])
            ),
            format!(
                "notice: --tuned: L2: 2 of 3 seeds chose λ = {}, the strongest that was tried: what is stronger might do better",
                said(l2[7])
            ),
        ]
    );
    assert!(notices[4].contains(&format!("chose λ2 = {}, the weakest", said(grid.axes[1].values[0]))));
    // What seeds chose, and what they train with.
    assert_eq!(found.searches[2].said(9), "p 0.4 (2); p 0.5 (1)");
    assert_eq!(found.searches[2].said(1), "p 0.4 (2); 1 more");
    let seeds = [0, 1, 2].map(|s| found.of_seed(DEFAULTS, s));
    assert_eq!(seeds.map(|s| s.p), [0.4, 0.4, 0.5]);
    assert_eq!(seeds.map(|s| s.l2), [l2[0], l2[7], l2[7]]);
    assert_eq!(seeds.map(|s| s.combined_p), [DEFAULTS.combined_p; 3], "what was not searched stays");
    assert!(found.options(DEFAULTS).contains(&format!(" --l2 {} ", said(l2[7]))), "{}", found.options(DEFAULTS));
    assert!(found.beside(Treatment::None).is_none() && found.beside(Treatment::Combined).is_none());
}

/// A search on 30 training rows.
fn real(table: &Table, split: &Split, given: &Targets) -> (Vec<u64>, Vec<usize>, usize) {
    let session = Session::new().expect("the tests need a GPU adapter; `cargo xtask test` installs a software one");
    let hyper = Hyper { hidden: vec![8], epochs: 4, batch: 8, lr: 0.02, optimizer: Optimizer::AdamW };
    let plan = Plan::new(&[Treatment::L2, Treatment::Combined, Treatment::BatchNorm], (3, true), &hyper, DEFAULTS);
    let (mut ticks, mut most) = (0, 0);
    let seeds = [1, 2].map(|seed| Own { seed, rows: &split.train, given });
    let (tuned, notices) =
        Tuned::choose(&session, &plan, (table, &seeds), &mut |_, n| (ticks += n, most = most.max(n)).0).unwrap();
    assert_eq!(notices, [""; 0]);
    assert_eq!(ticks, 2 * plan.networks() * hyper.epochs, "progress counts every epoch of every network");
    assert_eq!(
        tuned.searches.iter().map(|s| s.treatment).collect::<Vec<_>>(),
        [Treatment::None, Treatment::L2, Treatment::Combined]
    );
    let all = || tuned.searches.iter().flat_map(|s| s.tried.iter().flatten());
    assert!(all().all(|t| t.rows.iter().sum::<usize>() == 30 && t.folds.len() == 3), "every row is held out once");
    let bits = all().flat_map(|t| &t.folds).flat_map(|m| [m.loss.to_bits(), m.score.to_bits()]).collect();
    (bits, tuned.searches.iter().flat_map(|s| s.chosen.clone()).collect(), most)
}

#[test]
fn a_choice_reads_the_training_rows_and_nothing_else() {
    let table = Table::digits().unwrap();
    let split = Split::draw(&table, Sizes { train: 30, ..Sizes::default() }, 3).unwrap();
    let first = real(&table, &split, &table.targets);
    assert_eq!(first, real(&table, &split, &table.targets), "the same bits twice");
    // Whatever the other rows are: features and labels.
    let mut other = table.clone();
    let (mut given, train) = (table.targets.clone(), &split.train);
    let crate::data::Cells::Numbers(cells) = &mut other.cells else { panic!("numbers") };
    let width = other.columns.len();
    let (Targets::Classes { of, .. }, Targets::Classes { of: said, .. }) = (&mut other.targets, &mut given) else {
        panic!("classes")
    };
    for row in (0..said.len()).filter(|r| !train.contains(r)) {
        (of[row], said[row]) = ((of[row] + 1) % 10, (said[row] + 3) % 10);
        cells[row * width..(row + 1) * width].iter_mut().for_each(|v| *v = 1e9 - *v);
    }
    assert_eq!(first, real(&other, &split, &given), "validation and test rows changed the choice");
    // And that the labels of training rows are those given: the table's own do not count.
    let Targets::Classes { of, .. } = &mut other.targets else { panic!("classes") };
    train.iter().for_each(|&row| of[row] = 9 - of[row]);
    assert_eq!(first, real(&other, &split, &given), "a choice saw labels without their noise");
    let Targets::Classes { of: said, .. } = &mut given else { panic!("classes") };
    said[train[0]] = (said[train[0]] + 1) % 10;
    assert_ne!(first.0, real(&table, &split, &given).0, "a training label more or less makes no difference");
}

/// Labels that no feature tells: a network learns the rows that it is trained on by heart, and guesses at those that are held out.
#[test]
fn candidates_are_scored_on_rows_that_they_were_not_trained_on() {
    let mut rng = ridgepole::Rng::new(5);
    let rows = 60;
    let cells = (0..rows * 12).map(|_| rng.unit()).collect();
    let names = ["no", "yes"].map(String::from).to_vec();
    let of: Vec<u32> = (0..rows).map(|_| rng.word() % 2).collect();
    let columns = (0..12).map(|c| format!("x{c}")).collect();
    let table = Table::new("t", "y", columns, crate::data::Cells::Numbers(cells), Targets::Classes { names, of });
    let session = Session::new().expect("the tests need a GPU adapter; `cargo xtask test` installs a software one");
    let hyper = Hyper { hidden: vec![32], epochs: 60, batch: 10, lr: 0.02, optimizer: Optimizer::AdamW };
    let plan = Plan::new(&[Treatment::Dropout], (3, true), &hyper, DEFAULTS);
    let all: Vec<usize> = (0..rows).collect();
    let own = Own { seed: 1, rows: &all, given: &table.targets };
    let (found, _) = plan.search(&session, (&table, &own), &mut |_| ()).unwrap();
    let held = Held::of(std::iter::once(&found[0][0]), true);
    // Of 60 guesses, 42 are right with a probability of 0.001. On its own rows it has all of them right.
    assert!(held.score < 42.0 / 60.0, "held-out accuracy {}", held.score);
    // What learns nothing could not tell the parts apart.
    let losses: Vec<f64> = found[0][0].folds.iter().map(|m| m.loss).collect();
    assert!(losses.iter().all(|l| *l > 0.9), "a network that learned its rows by heart is sure, and wrong: {losses:?}");
}
