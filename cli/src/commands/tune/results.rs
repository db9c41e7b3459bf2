//! What a search found: the numbers behind table, report and `tune.json`.
use super::{
    By,
    grid::{NAMES, Setting},
    outcome::Outcome,
};
use crate::{data::Summary, number, shell, stats::MeanSd, text, training::Hyper};
use serde_json::{Value, json};

/// A whole search.
pub struct Tuned {
    /// The device, in words.
    pub device: String,
    /// The data, in words and numbers; parts are those of the first fold.
    pub data: Summary,
    /// How networks were trained.
    pub hyper: Hyper,
    /// Epochs without a lower validation loss after which a network stopped.
    pub patience: u32,
    /// The validation share of the training folds.
    pub stop_share: f64,
    /// The seed.
    pub seed: u64,
    /// The fold in which each row was held out.
    pub folds: Vec<usize>,
    /// The rows of the data that were used, in the order of `folds`; none if all were.
    pub rows: Option<Vec<usize>>,
    /// What settings are compared by.
    pub by: By,
    /// In the order asked for.
    pub candidates: Vec<Candidate>,
    /// The place of the best setting.
    pub best: usize,
    /// That of the most regularized setting within one standard error of it.
    pub one_se: usize,
    /// The command line without the settings.
    pub(crate) command: shell::Command,
    /// Networks trained at once, at most.
    pub together: usize,
    /// Wall time of this run, without those that were interrupted.
    pub seconds: f64,
    /// Networks that an earlier run had finished.
    pub resumed: usize,
}

/// A setting and the results of its networks, one for each fold.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The setting.
    pub setting: Setting,
    /// In the order of the folds.
    pub outcomes: Vec<Outcome>,
}

/// A mean over folds and its standard error: the standard deviation of the sample over the root of its size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// Its standard error.
    pub se: f64,
}

impl Candidate {
    /// The score on training rows (0), validation rows (1) or the held-out fold (2).
    pub fn score(&self, part: usize) -> Mean {
        Mean::of(self.outcomes.iter().map(|o| o.measures[part].score))
    }

    /// The loss, as [`Candidate::score`].
    pub fn loss(&self, part: usize) -> Mean {
        Mean::of(self.outcomes.iter().map(|o| o.measures[part].loss))
    }

    /// Share of weights that are exactly 0.
    pub fn zeros(&self) -> f64 {
        Mean::of(self.outcomes.iter().map(|o| o.zeros)).mean
    }

    /// Mean epoch of the restored weights.
    pub fn best_epoch(&self) -> f64 {
        Mean::of(self.outcomes.iter().map(|o| o.best_epoch as f64)).mean
    }
}

impl Mean {
    /// Of these values.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.into_iter().collect();
        let MeanSd { mean, sd } = MeanSd::of(values.iter().copied());
        Self { mean, se: sd / (values.len() as f64).sqrt() }
    }

    fn json(self) -> Value {
        json!({ "mean": self.mean, "se": self.se })
    }
}

/// What settings are compared by: lower is better.
pub fn badness(c: &Candidate, by: By, classes: bool) -> Mean {
    match (by, classes) {
        (By::Loss, _) => c.loss(2),
        (By::Score, false) => c.score(2),
        (By::Score, true) => {
            let Mean { mean, se } = c.score(2);
            Mean { mean: 1.0 - mean, se }
        }
    }
}

/// The places of the best setting (ties go to the lower loss), and of the most regularized one that is no more than one standard
/// error worse (ties go to the better one): Breiman et al., "Classification and regression trees", 1984, section 3.4.3.
pub fn choose(candidates: &[Candidate], by: By, classes: bool) -> [usize; 2] {
    let key = |i: usize| [badness(&candidates[i], by, classes).mean, candidates[i].loss(2).mean];
    // NaN is worse than anything.
    let order = |a: [f64; 2], b: [f64; 2]| (0..2).map(|k| a[k].abs().total_cmp(&b[k].abs())).find(|o| o.is_ne());
    let less = |a: usize, b: usize| order(key(a), key(b)).is_some_and(std::cmp::Ordering::is_lt);
    let best = (0..candidates.len()).reduce(|b, i| if less(i, b) { i } else { b }).unwrap_or(0);
    let Mean { mean, se } = badness(&candidates[best], by, classes);
    let strengths = strengths(candidates);
    let within = (0..candidates.len()).filter(|&i| i == best || key(i)[0] <= mean + se);
    let one_se = within.reduce(|b, i| {
        let stronger = strengths[i].total_cmp(&strengths[b]);
        if stronger.is_gt() || stronger.is_eq() && less(i, b) { i } else { b }
    });
    [best, one_se.unwrap_or(best)]
}

/// How regularized each setting is: over its hyperparameters, the sum of the ranks of its values among those that were tried, from 0 for
/// the least to 1 for the greatest. Batch norm does not count.
pub fn strengths(candidates: &[Candidate]) -> Vec<f64> {
    let mut out = vec![0.0; candidates.len()];
    for k in 0..NAMES.len() {
        let mut tried: Vec<f64> = candidates.iter().map(|c| c.setting.numbers()[k]).collect();
        tried.sort_by(f64::total_cmp);
        tried.dedup();
        for (c, strength) in candidates.iter().zip(&mut out) {
            let rank = tried.iter().position(|v| *v == c.setting.numbers()[k]).unwrap_or(0);
            *strength += rank as f64 / (tried.len() - 1).max(1) as f64;
        }
    }
    out
}

impl Tuned {
    /// Whether classes are predicted.
    pub fn classes(&self) -> bool {
        !self.data.classes.is_empty()
    }

    /// The command line that retrains the networks of a setting, with the same results.
    pub fn command(&self, candidate: usize) -> String {
        let mut command = self.command.clone();
        for (name, value) in self.candidates[candidate].setting.options() {
            command.option(name, value);
        }
        command.line().into()
    }

    /// A score with its standard error, as people read it.
    pub fn score(&self, m: Mean) -> String {
        if self.classes() {
            return format!("{} %", number::pair(100.0 * m.mean, 100.0 * m.se, 4));
        }
        number::pair(m.mean, m.se, 4)
    }

    /// Places of the settings, best first.
    pub fn ranking(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.candidates.len()).collect();
        let key = |i: usize| badness(&self.candidates[i], self.by, self.classes()).mean.abs();
        order.sort_by(|&a, &b| {
            key(a).total_cmp(&key(b)).then(self.candidates[a].loss(2).mean.total_cmp(&self.candidates[b].loss(2).mean))
        });
        order
    }

    /// What a choice is called in table and report.
    pub fn mark(&self, candidate: usize) -> &'static str {
        match (candidate == self.best, candidate == self.one_se) {
            (true, true) => "best, one se",
            (true, false) => "best",
            (false, true) => "one se",
            (false, false) => "",
        }
    }

    /// The table for the terminal: the best twelve settings, and the choices.
    pub fn table(&self) -> Vec<String> {
        const SHOWN: usize = 12;
        let ranking = self.ranking();
        let name = if self.classes() { "accuracy" } else { "RMSE" };
        let mut rows = vec![["", "setting", name, "loss", "exact zeros", "epoch"].map(String::from)];
        let row = |i: usize| {
            let c = &self.candidates[i];
            let loss = c.loss(2);
            [
                self.mark(i).into(),
                c.setting.to_string(),
                self.score(c.score(2)),
                number::pair(loss.mean, loss.se, 4),
                number::percent(c.zeros()),
                format!("{:.1}", c.best_epoch()),
            ]
        };
        rows.extend(ranking.iter().take(SHOWN).map(|&i| row(i)));
        let late: Vec<usize> = ranking.iter().skip(SHOWN).copied().filter(|&i| i == self.one_se).collect();
        rows.extend(late.iter().map(|&i| row(i)));
        let width = |c: usize| rows.iter().map(|r| r[c].chars().count()).max().unwrap_or(0);
        let widths = [0, 1, 2, 3, 4, 5].map(width);
        let cell = |(c, text): (usize, &String)| {
            let fill = " ".repeat(widths[c] - text.chars().count());
            if c < 2 { format!("{text}{fill}") } else { format!("{fill}{text}") }
        };
        let mut out: Vec<String> =
            rows.iter().map(|r| r.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ").trim_end().to_string()).collect();
        let hidden = self.candidates.len().saturating_sub(rows.len() - 1);
        if hidden > 0 {
            out.push(format!("and {} more, in the report and in tune.json", text::count(hidden, "setting")));
        }
        out.push(format!("best:   {}", self.command(self.best)));
        if self.one_se != self.best {
            out.push(format!("one se: {}", self.command(self.one_se)));
        }
        out
    }

    /// Everything, as `tune.json` has it. Except for "times" it is the same, bit for bit, whenever the same search runs on the same device,
    /// interrupted or not, however many networks are trained at once.
    pub fn json(&self) -> Value {
        let d = &self.data;
        let candidate = |(i, c): (usize, &Candidate)| {
            json!({
                "setting": c.setting,
                "score": c.score(2).json(), "loss": c.loss(2).json(),
                "train_score": c.score(0).json(), "train_loss": c.loss(0).json(),
                "zeros": c.zeros(),
                "folds": c.outcomes.iter().map(|o| json!({
                    "train": o.measures[0], "stop": o.measures[1], "test": o.measures[2],
                    "best_epoch": o.best_epoch, "epochs": o.epochs, "zeros": o.zeros,
                })).collect::<Vec<_>>(),
                "command": self.command(i),
            })
        };
        json!({
            "format": "ridgepole-tune/1",
            "program": concat!("ridgepole ", env!("CARGO_PKG_VERSION")),
            "device": self.device,
            "data": { "name": d.name, "rows": d.rows, "features": d.features, "classes": d.classes, "target": d.target },
            "table": d.table,
            "score": if self.classes() { "accuracy" } else { "rmse" },
            "training": self.hyper,
            "patience": self.patience,
            "stop_share": self.stop_share,
            "seed": self.seed,
            "rows_used": self.rows,
            "folds": self.folds,
            "chosen_by": self.by,
            "settings": self.candidates.iter().enumerate().map(candidate).collect::<Vec<_>>(),
            "best": self.best,
            "one_standard_error": self.one_se,
            "times": { "seconds": self.seconds, "together": self.together, "finished_before": self.resumed },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::Measure;

    fn candidate(prox_l1: f64, p: f64, scores: [f64; 2]) -> Candidate {
        let outcome =
            |score| Outcome { measures: [Measure { loss: 1.0 - score, score }; 3], best_epoch: 1, epochs: 2, zeros: 0.0 };
        Candidate { setting: Setting { prox_l1, p, ..Setting::default() }, outcomes: scores.map(outcome).to_vec() }
    }

    #[test]
    fn the_simplest_within_one_standard_error_is_the_most_regularized() {
        // The best has mean 0.9 and a standard error of 0.02.
        let all = [
            candidate(0.0, 0.0, [0.88, 0.92]),
            candidate(0.1, 0.0, [0.89, 0.89]),
            candidate(0.3, 0.0, [0.885, 0.885]),
            candidate(0.3, 0.5, [0.87, 0.87]),
            candidate(0.1, 0.5, [f64::NAN, 0.9]),
        ];
        assert_eq!(choose(&all, By::Score, true), [0, 2]);
        assert_eq!(strengths(&all), [0.0, 0.5, 1.0, 2.0, 1.5]);
        let Mean { mean, se } = badness(&all[0], By::Score, true);
        assert!((mean - 0.1).abs() < 1e-12 && (se - 0.02).abs() < 1e-12);
        // For an error, lower is better.
        assert_eq!(choose(&all, By::Score, false)[0], 3);
    }
}
