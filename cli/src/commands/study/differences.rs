//! What each treatment gives over `none`, and what overfitting costs: differences within each seed, with intervals over the seeds.
//!
//! All networks of a seed have the same split, noise, first weights, batches and masks, so what seeds differ by cancels within a pair.
use super::{
    results::{Outcome, Run, Study},
    treatments::Treatment,
};
use crate::{
    stats::{Estimate, MeanSd, holm},
    text,
};
use std::cmp::Ordering;

/// What is known of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The whole interval is on the good side of 0.
    Better,
    /// The whole interval is on the bad side of 0.
    Worse,
    /// The interval holds 0.
    NotApart,
    /// No seed has a difference.
    Same,
    /// All seeds have one and the same difference, so its spread is not known.
    NoSpread,
    /// There is one seed.
    OneSeed,
    /// A network of the pair diverged, in so many seeds.
    Diverged(usize),
}

impl Verdict {
    /// Its name in `results.json`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::NotApart => "not_told_apart",
            Self::Same => "same",
            Self::NoSpread => "no_spread",
            Self::OneSeed => "one_seed",
            Self::Diverged(_) => "diverged",
        }
    }

    /// For tables and pictures.
    pub fn word(self) -> String {
        match self {
            Self::Better => "better".into(),
            Self::Worse => "worse".into(),
            Self::NotApart => "not told apart".into(),
            Self::Same => "the same".into(),
            Self::NoSpread => "no spread".into(),
            Self::OneSeed => "one seed".into(),
            Self::Diverged(n) => format!("diverged in {n}"),
        }
    }
}

/// A treatment against `none`, seed by seed.
#[derive(Clone, Debug)]
pub struct Difference {
    /// Of the test score: the treatment's less that of `none`. Accuracy is a share.
    pub score: Estimate,
    /// Of the test loss.
    pub loss: Estimate,
    /// Of the test score, for each seed.
    pub each: Vec<f64>,
    /// What the score says.
    pub verdict: Verdict,
    /// Whether it stays apart from `none` when all treatments of the study may be wrong in 5 % of studies together, not each.
    pub holm: bool,
}

/// What the networks without regularization lose between their best epoch and the last.
#[derive(Clone, Debug)]
pub struct Overfitting {
    /// Their test score at the end.
    pub end: MeanSd,
    /// Their test score by the weights of the epoch with the lowest validation loss.
    pub best: MeanSd,
    /// How much worse the end is, above 0 if it is worse: in test score.
    pub cost: Estimate,
    /// The same in test loss.
    pub loss: Estimate,
    /// What the cost in test score says: [`Verdict::Worse`] where training on costs something.
    pub verdict: Verdict,
}

impl Run {
    /// Whether the loss at the end, or at the best epoch, is no number.
    pub fn diverged(&self) -> bool {
        let all = self.last.iter().chain(&self.best);
        self.best_epoch == 0 || all.into_iter().any(|m| !m.loss.is_finite() || !m.score.is_finite())
    }
}

impl Study {
    /// The networks without regularization, if the study has them.
    pub fn none(&self) -> Option<&Outcome> {
        self.outcomes.iter().find(|o| o.treatment == Treatment::None)
    }

    /// 1 where a higher score is better, else -1.
    pub fn sign(&self) -> f64 {
        if self.classes() { 1.0 } else { -1.0 }
    }

    /// For each treatment its difference to `none`: nothing for `none` itself, and for none of them where the study lacks it.
    pub fn differences(&self) -> Vec<Option<Difference>> {
        let mut all: Vec<Option<Difference>> = self.outcomes.iter().map(|o| self.difference(o)).collect();
        let known: Vec<usize> = (0..all.len()).filter(|&i| all[i].as_ref().is_some_and(|d| d.score.found.is_some())).collect();
        let ps: Vec<f64> = known.iter().filter_map(|&i| all[i].as_ref()?.score.found).map(|f| f.p).collect();
        for (&i, apart) in known.iter().zip(holm(&ps)) {
            all[i].iter_mut().for_each(|d| d.holm = apart);
        }
        all
    }

    fn difference(&self, o: &Outcome) -> Option<Difference> {
        let none = self.none().filter(|n| n.treatment != o.treatment)?;
        let pairs = || o.runs.iter().zip(&none.runs).map(|(a, b)| (&a.last[2], &b.last[2]));
        let scores: Vec<[f64; 2]> = pairs().map(|(a, b)| [a.score, b.score]).collect();
        let losses: Vec<[f64; 2]> = pairs().map(|(a, b)| [a.loss, b.loss]).collect();
        let diverged = o.runs.iter().zip(&none.runs).filter(|(a, b)| a.diverged() || b.diverged()).count();
        let (each, score) = pair(&scores, diverged);
        let verdict = verdict(&score, self.sign(), diverged);
        Some(Difference { score, loss: pair(&losses, diverged).1, each, verdict, holm: false })
    }

    /// What overfitting costs, if the study has networks without regularization.
    pub fn overfitting(&self) -> Option<Overfitting> {
        let runs = &self.none()?.runs;
        let diverged = runs.iter().filter(|r| r.diverged()).count();
        let of = |get: fn(&Run) -> [f64; 2]| runs.iter().map(get).collect::<Vec<_>>();
        let scores =
            if self.classes() { of(|r| [r.best[2].score, r.last[2].score]) } else { of(|r| [r.last[2].score, r.best[2].score]) };
        let (_, cost) = pair(&scores, diverged);
        let (_, loss) = pair(&of(|r| [r.last[2].loss, r.best[2].loss]), diverged);
        let mean = |get: fn(&Run) -> f64| MeanSd::of(runs.iter().map(get));
        let (end, best) = (mean(|r| r.last[2].score), mean(|r| r.best[2].score));
        Some(Overfitting { end, best, verdict: verdict(&cost, -1.0, diverged), cost, loss })
    }

    /// The order of table and picture: `none`, then the others by how much they give, then those of which that is not known.
    pub fn order(&self, differences: &[Option<Difference>]) -> Vec<usize> {
        let gain = |i: usize| differences[i].as_ref().map(|d| self.sign() * d.score.mean);
        let known = |i: usize| differences[i].as_ref().is_none_or(|d| !matches!(d.verdict, Verdict::Diverged(_)));
        let mut order: Vec<usize> = (0..self.outcomes.len()).collect();
        order.sort_by(|&a, &b| match (gain(a), gain(b)) {
            (Some(x), Some(y)) => known(b).cmp(&known(a)).then(y.total_cmp(&x)),
            (x, y) => x.is_some().cmp(&y.is_some()),
        });
        order
    }

    /// The place of the treatment that gives most: of those that are better for certain, else of all that can be compared.
    pub fn most_helpful(&self, differences: &[Option<Difference>], among: impl Fn(Treatment) -> bool) -> Option<usize> {
        let gain = |i: usize| differences[i].as_ref().map_or(f64::NEG_INFINITY, |d| self.sign() * d.score.mean);
        let rank = |i: usize| match differences[i].as_ref().map(|d| d.verdict) {
            Some(Verdict::Better) => 2,
            None | Some(Verdict::Diverged(_)) => 0,
            Some(_) => 1,
        };
        let better = |a: usize, b: usize| rank(a).cmp(&rank(b)).then(gain(a).total_cmp(&gain(b)));
        // The first of equals.
        (0..differences.len())
            .filter(|&i| rank(i) > 0 && among(self.outcomes[i].treatment))
            .reduce(|best, i| if better(i, best) == Ordering::Greater { i } else { best })
    }

    /// Of each seed with wrong labels, the share of them that a treatment has learned by heart; nothing where no label is wrong.
    pub fn by_heart(&self, o: &Outcome) -> Option<MeanSd> {
        let share = |(r, &wrong): (&Run, &usize)| Some(r.learned? as f64 / wrong as f64).filter(|_| wrong > 0);
        let all: Vec<f64> = o.runs.iter().zip(&self.wrong).filter_map(share).collect();
        (!all.is_empty()).then(|| MeanSd::of(all))
    }

    /// How finely differences are known: the shortest half of an interval, as numbers are shown; if there is none, a tenth of a point of
    /// accuracy, and NaN for values.
    pub fn precision(&self) -> f64 {
        let halves = self.differences().into_iter().flatten().filter_map(|d| d.score.half());
        let all = halves.chain(self.overfitting().and_then(|o| o.cost.half()));
        self.unit() * all.reduce(f64::min).unwrap_or(if self.classes() { 0.003 } else { f64::NAN })
    }

    /// What scores are multiplied by to be shown: accuracy is in percent.
    pub fn unit(&self) -> f64 {
        if self.classes() { 100.0 } else { 1.0 }
    }
}

/// The first less the second, for each seed and over all. A seed that diverged has no difference, and then nor have all.
fn pair(values: &[[f64; 2]], diverged: usize) -> (Vec<f64>, Estimate) {
    let each: Vec<f64> = values.iter().map(|[a, b]| a - b).collect();
    // Scores are rounded, so equal differences may differ by what rounding does to them.
    let grain = 8.0 * f64::EPSILON * values.iter().flatten().fold(0.0, |most: f64, v| most.max(v.abs()));
    let mut all = Estimate::of(&each, grain);
    if all.sd == 0.0 && each.iter().all(|v| v.abs() <= grain) {
        all.mean = 0.0;
    }
    if diverged > 0 {
        (all.mean, all.sd, all.found) = (f64::NAN, f64::NAN, None);
    }
    (each, all)
}

/// What a difference says where `sign` times it is good.
fn verdict(e: &Estimate, sign: f64, diverged: usize) -> Verdict {
    match e.found {
        _ if diverged > 0 => Verdict::Diverged(diverged),
        Some(f) if f.ends[0] > 0.0 || f.ends[1] < 0.0 => {
            if sign * e.mean > 0.0 {
                Verdict::Better
            } else {
                Verdict::Worse
            }
        }
        Some(_) => Verdict::NotApart,
        None if e.n < 2 => Verdict::OneSeed,
        None if e.mean == 0.0 => Verdict::Same,
        None => Verdict::NoSpread,
    }
}

/// Why there is no interval, as a remark in brackets; empty where there is one.
pub fn why_none(verdict: Verdict, seeds: usize) -> String {
    match verdict {
        Verdict::Better | Verdict::Worse | Verdict::NotApart => String::new(),
        Verdict::OneSeed => "one seed has no interval: --seeds 2 or more".into(),
        Verdict::Same => format!("no difference in any of {}", text::count(seeds, "seed")),
        Verdict::NoSpread => format!("equal in all {seeds} seeds, so no interval: more --seeds"),
        Verdict::Diverged(n) => format!("diverged in {n} of {}: a lower --lr may help", text::count(seeds, "seed")),
    }
}
