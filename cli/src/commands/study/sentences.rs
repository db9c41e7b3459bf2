//! What the study found, in two sentences: what overfitting costs, and what helps most. They are the first that terminal and report
//! say, and stand in `results.json`, so they are made here, once.
use super::{
    differences::{Difference, Verdict, why_none},
    results::Study,
    treatments::Treatment,
};
use crate::{
    number::{alike, signed},
    stats::{Estimate, LEVEL},
    text,
};

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentences {
    /// What overfitting costs.
    pub cost: String,
    /// What helps most, and by how much.
    pub help: String,
}

/// A difference in words, with its sign: of scores as they are shown.
pub struct Shown {
    /// "+12.8".
    pub mean: String,
    /// "11.2 to 14.4"; the reason where there is none.
    pub interval: Option<String>,
}

impl Study {
    /// The two sentences.
    pub fn sentences(&self) -> Sentences {
        Sentences { cost: self.cost(), help: self.help() }
    }

    /// What the rows are called that the network has not seen.
    pub fn things(&self) -> &'static str {
        if self.data.name == "digits" { "digits" } else { "rows" }
    }

    /// A difference of scores as table, picture and sentences have it, without a unit.
    pub fn shown(&self, e: &Estimate) -> Shown {
        let ends = e.found.map_or([f64::NAN; 2], |f| f.ends);
        let [mean, low, high] = self.scores([e.mean, ends[0], ends[1]]);
        Shown { mean: signed(&mean), interval: e.found.map(|_| format!("{low} to {high}")) }
    }

    /// Scores or differences of scores, in percent or the target's own unit, to the place that the differences are known to.
    pub fn scores<const N: usize>(&self, scores: [f64; N]) -> [String; N] {
        alike(scores.map(|s| self.unit() * s), self.precision(), usize::from(self.classes()))
    }

    /// "12.8 points (95 % interval 11.2 to 14.4)": a difference without its sign, which is turned by `sign`.
    fn amount(&self, e: &Estimate, sign: f64, verdict: Verdict) -> String {
        let turn = |v: f64| sign * v;
        let ends = e.found.map_or([f64::NAN; 2], |f| f.ends.map(turn));
        let [mean, low, high] = self.scores([turn(e.mean), ends[0].min(ends[1]), ends[0].max(ends[1])]);
        let points = if self.classes() { " points" } else { "" };
        let remark = if e.found.is_some() {
            format!("{:.0} % interval {low} to {high}", 100.0 * LEVEL)
        } else {
            why_none(verdict, self.seeds.len())
        };
        format!("{mean}{points} ({remark})")
    }

    /// "right on 71.2 % of new digits", or how far off it is.
    fn level(&self, score: f64) -> String {
        let [score] = self.scores([score]);
        if self.classes() {
            format!("right on {score} % of new {}", self.things())
        } else {
            format!("off by {score} on new rows (RMSE)")
        }
    }

    /// The same, said a second time.
    fn short(&self, score: f64) -> String {
        let [score] = self.scores([score]);
        if self.classes() { format!("right on {score} %") } else { format!("off by {score}") }
    }

    fn cost(&self) -> String {
        let Some(o) = self.overfitting() else {
            return "What overfitting costs is not known, since none (the network without regularization) is not among the --treatments."
                .into();
        };
        if let Verdict::Diverged(_) = o.verdict {
            return format!(
                "What overfitting costs is not known: the plain network {}.",
                why_none(o.verdict, self.seeds.len()).replace(": ", "; ")
            );
        }
        let ends = format!(
            "Trained to the end, the plain network is {}; at its best epoch it was {}",
            self.level(o.end.mean),
            self.short(o.best.mean)
        );
        let cost = |sign: f64| self.amount(&o.cost, sign, o.verdict);
        match o.verdict {
            Verdict::Worse => format!("{ends}: overfitting costs {}.", cost(1.0)),
            Verdict::Better => format!("{ends}: training on costs nothing here, but gains {}.", cost(-1.0)),
            Verdict::NotApart => format!("{ends}: a cost of overfitting cannot be told from chance, {}.", cost(1.0)),
            _ if o.cost.mean == 0.0 => {
                format!("{ends}: overfitting costs nothing here ({}).", why_none(o.verdict, self.seeds.len()))
            }
            _ if o.cost.mean > 0.0 => format!("{ends}: overfitting costs {}.", cost(1.0)),
            _ => format!("{ends}: training on costs nothing here, but gains {}.", cost(-1.0)),
        }
    }

    fn help(&self) -> String {
        let differences = self.differences();
        if self.none().is_none() {
            return "What helps is not known either: every difference is one to none. Add none to --treatments.".into();
        }
        let others = differences.iter().flatten().count();
        if others == 0 {
            return "What helps is not known: none is the only one of the --treatments.".into();
        }
        let Some(i) = self.most_helpful(&differences, |_| true) else {
            return format!(
                "What helps is not known: in each pair with the plain network, one {}.",
                why_none_of_all(&differences, self)
            );
        };
        let d = differences[i].as_ref().expect("it can be compared");
        let name = named(self.outcomes[i].treatment);
        let (more, less) = if self.classes() { ("more", "less") } else { ("closer", "further off") };
        let gains = self.sign() * d.score.mean > 0.0;
        let amount = self.amount(&d.score, if gains { self.sign() } else { -self.sign() }, d.verdict);
        let (points, remark) = amount.split_once(" (").unwrap_or((&amount, ""));
        let change = format!("{points} {} than the plain network ({remark}", if gains { more } else { less });
        let score = self.short(self.outcomes[i].score(2).mean);
        match d.verdict {
            Verdict::Better => format!("Most help comes from {name}: {score}, {change}{}.", self.beside(i, &differences)),
            Verdict::Worse => format!("Nothing that was tried helps: even {name}, is {score}, {change}."),
            Verdict::NotApart if others == 1 => {
                format!("It cannot be told whether {name}, helps: {score}, {change}.")
            }
            Verdict::NotApart => {
                let most = if gains { "most comes from" } else { "least is lost by" };
                format!("None of the {others} treatments helps for certain; {most} {name}: {score}, {change}.")
            }
            _ if d.score.mean == 0.0 => {
                format!("Nothing that was tried changes the score for the better: {name}, is {score} too ({remark}.")
            }
            _ if gains => format!("Most help comes from {name}: {score}, {change}."),
            _ => format!("Nothing that was tried helps: even {name}, is {score}, {change}."),
        }
    }

    /// What changes the training, where stopping it is what helps most.
    fn beside(&self, most: usize, differences: &[Option<Difference>]) -> String {
        if self.outcomes[most].treatment != Treatment::EarlyStopping {
            return String::new();
        }
        let next = self.most_helpful(differences, |t| t != Treatment::EarlyStopping);
        let found = next.and_then(|i| Some((i, differences[i].as_ref()?))).filter(|(_, d)| d.verdict == Verdict::Better);
        found.map_or("; nothing else helps for certain".into(), |(i, d)| {
            let amount = self.amount(&d.score, self.sign(), d.verdict);
            // The kind of interval has just been said.
            let amount = amount.replacen(&format!("{:.0} % interval ", 100.0 * LEVEL), "", 1);
            format!("; next is {}, with {amount}", named(self.outcomes[i].treatment))
        })
    }
}

fn why_none_of_all(differences: &[Option<Difference>], study: &Study) -> String {
    let seeds = differences.iter().flatten().filter_map(|d| match d.verdict {
        Verdict::Diverged(n) => Some(n),
        _ => None,
    });
    let least = seeds.min().unwrap_or(0);
    format!("diverged in at least {least} of {}; a lower --lr may help", text::count(study.seeds.len(), "seed"))
}

/// A treatment with what it is, for who has never heard of it.
fn named(t: Treatment) -> String {
    let gloss = match t {
        Treatment::None => "the plain network",
        Treatment::EarlyStopping => "keeping the network of its best epoch",
        Treatment::L1 => "a penalty on all weights alike",
        Treatment::L1Prox => "a penalty that makes many weights zero",
        Treatment::L2 => "a penalty on large weights",
        Treatment::ElasticNet => "a penalty that shrinks weights and makes some zero",
        Treatment::WeightDecay => "weights that shrink a little at each step",
        Treatment::Dropout => "units left out at random while it learns",
        Treatment::BatchNorm => "units brought to one scale",
        Treatment::Combined => "three of them together",
    };
    format!("{}, {gloss}", t.title())
}
