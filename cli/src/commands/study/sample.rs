//! An invented study, for tests and for the gallery: networks that learn, then overfit, each treatment a little less than the plain one.
use super::{
    args::DEFAULTS,
    results::{Look, Outcome, Run, Study},
    treatments::Treatment,
};
use crate::{
    data::Summary,
    training::{Hyper, Measure, Optimizer},
};

/// Epochs of its networks.
const EPOCHS: usize = 60;
/// Wrong labels of a seed, if classes are predicted.
const WRONG: usize = 60;

/// A study of so many seeds; `classes`: of the ten digits, else of a value.
pub(super) fn study(treatments: &[Treatment], seeds: usize, classes: bool) -> Study {
    let runs = |t: Treatment| (0..seeds).map(|seed| run(t, seed, classes)).collect();
    Study {
        device: "an invented device".into(),
        data: Summary {
            name: if classes { "digits" } else { "prices <of> houses" }.into(),
            rows: 1797,
            features: 64,
            classes: if classes { (0..10).map(|c| c.to_string()).collect() } else { Vec::new() },
            target: (!classes).then(|| "price".into()),
            parts: [200, 399, 1198],
            table: serde_json::Value::Null,
        },
        hyper: Hyper { hidden: vec![128, 64], epochs: EPOCHS, batch: 50, lr: 2e-3, optimizer: Optimizer::AdamW },
        strengths: DEFAULTS,
        tuned: None,
        noise: 0.3,
        wrong: if classes { vec![WRONG; seeds] } else { Vec::new() },
        seeds: (1..=seeds as u64).collect(),
        outcomes: treatments.iter().map(|&treatment| Outcome { treatment, runs: runs(treatment) }).collect(),
        monte_carlo: Vec::new(),
        decomposition: None,
        model: Vec::new(),
        seconds: 12.3,
        times: Vec::new(),
    }
}

/// A number from -1 to 1 that looks drawn.
fn draw(a: usize, b: usize) -> f64 {
    2.0 * ((a * 131 + b * 37 + 11) as f64 * 12.9898).sin().mul_add(43_758.545, 0.0).rem_euclid(1.0) - 1.0
}

fn run(t: Treatment, seed: usize, classes: bool) -> Run {
    let index = Treatment::ALL.iter().position(|&u| u == t).unwrap_or(0);
    // How much of the noise a treatment keeps out. Batch norm makes it worse.
    let held = [0.0, 0.0, 0.15, 0.3, 0.55, 0.42, 0.02, 0.4, -0.15, 0.7][index] + 0.03 * draw(index, seed);
    let own = draw(99, seed);
    let at = |epoch: usize| {
        let e = epoch as f64;
        let learned = 1.0 - (-e / 2.5).exp();
        let heart = (1.0 - held) * (1.0 - (-((e - 6.0).max(0.0)) / 14.0).exp());
        let accuracy = 0.1 + 0.76 * learned - 0.17 * heart + 0.012 * own + 0.004 * draw(epoch, seed);
        let validation = 2.3 - 1.5 * learned + 1.3 * heart + 0.02 * own;
        let train = 2.3 * (1.0 - 0.45 * learned - 0.5 * heart).max(0.005);
        let noisy = 0.1 + 0.6 * learned + 0.28 * heart;
        // As a count of rows has it.
        let rows = |share: f64, n: f64| (share * n).round() / n;
        let measures = if classes {
            [(train, rows(noisy, 200.0)), (validation, rows(accuracy - 0.05, 399.0)), (validation - 0.1, rows(accuracy, 1198.0))]
        } else {
            [train, validation, validation - 0.1].map(|l| (l, 60.0 * l.sqrt()))
        };
        (measures.map(|(loss, score)| Measure { loss, score }), (heart * WRONG as f64).round().clamp(0.0, WRONG as f64) as usize)
    };
    let curve: Vec<[Measure; 3]> = (1..=EPOCHS).map(|e| at(e).0).collect();
    let best_epoch = 1 + (0..EPOCHS).min_by(|&a, &b| curve[a][1].loss.total_cmp(&curve[b][1].loss)).unwrap_or(0);
    let looked = [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 18, 22, 27, 33, 40, 50, 60];
    let look = |&epoch: &usize| Look { epoch, test: at(epoch).0[2], learned: classes.then_some(at(epoch).1) };
    let end = if t == Treatment::EarlyStopping { best_epoch } else { EPOCHS };
    let weights = (0..400).map(|i| if t == Treatment::L1Prox && i % 3 > 0 { 0.0 } else { 0.2 * draw(i, seed) as f32 }).collect();
    Run {
        curve: curve.iter().map(|c| [c[0], c[1]]).collect(),
        looks: looked.iter().map(look).collect(),
        last: at(end).0,
        learned: classes.then_some(at(end).1),
        best_epoch,
        best: at(best_epoch).0,
        weights,
    }
}

/// Makes these runs of a treatment ones that diverged.
pub(super) fn diverge(study: &mut Study, treatment: Treatment, seeds: &[usize]) {
    let nothing = Measure { loss: f64::NAN, score: f64::NAN };
    let outcome = study.outcomes.iter_mut().find(|o| o.treatment == treatment).expect("it is in the study");
    for &seed in seeds {
        let run = &mut outcome.runs[seed];
        run.curve.iter_mut().skip(3).for_each(|c| *c = [nothing; 2]);
        run.looks.iter_mut().skip(3).for_each(|l| l.test = nothing);
        (run.last, run.best) = ([nothing; 3], run.best);
    }
}
