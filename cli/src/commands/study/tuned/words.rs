//! What was chosen, in words and in JSON.
use super::{Grid, Held, Search, Tuned};
use crate::{
    commands::study::treatments::{Strengths, Treatment},
    number::{self, exact},
    shell::Command,
    text,
};
use serde_json::{Map, Value, json};

impl Grid {
    /// A candidate: "p 0.4, λ 0.001".
    pub fn said(&self, candidate: usize) -> String {
        let one = |(axis, v): (&super::Axis, f64)| format!("{} {}", axis.knob.letter, exact(v));
        self.axes.iter().zip(self.values(candidate)).map(one).collect::<Vec<_>>().join(", ")
    }

    fn json(&self, candidate: usize) -> Value {
        let one = |(axis, v): (&super::Axis, f64)| (axis.knob.option.to_string(), json!(v));
        Value::Object(self.axes.iter().zip(self.values(candidate)).map(one).collect::<Map<_, _>>())
    }
}

impl Search {
    /// The candidates that seeds chose, with their seeds' number; those of most seeds first, then the weaker ones.
    fn counted(&self) -> Vec<(usize, usize)> {
        let count = |c: usize| self.chosen.iter().filter(|&&chosen| chosen == c).count();
        let mut all: Vec<(usize, usize)> = (0..self.grid.count()).map(|c| (c, count(c))).filter(|(_, n)| *n > 0).collect();
        all.sort_by_key(|&(c, n)| (std::cmp::Reverse(n), self.grid.strength(c)));
        all
    }

    /// What the seeds chose: "λ 0.01 (7), λ 0.03 (5)", at most `most` of them.
    pub fn said(&self, most: usize) -> String {
        let all = self.counted();
        if let ([(c, _)], true) = (&all[..], self.chosen.len() == 1) {
            return self.grid.said(*c);
        }
        let mut out: Vec<String> = all.iter().take(most).map(|&(c, n)| format!("{} ({n})", self.grid.said(c))).collect();
        if all.len() > most {
            out.push(format!("{} more", all.len() - most));
        }
        out.join("; ")
    }
}

impl Tuned {
    /// How the choice was made.
    pub fn how(&self) -> String {
        let score = if self.classes { "accuracy" } else { "root of the mean squared error" };
        format!(
            "{} folds of the training rows of each seed, with their labels as they are given, noise and all; the best {score} on the \
             held-out folds, of equal ones the strongest",
            self.folds
        )
    }

    /// A score, as people read it.
    pub fn score(&self, held: Held) -> String {
        if !held.score.is_finite() {
            return "diverged".into();
        }
        let unit = if self.classes { 100.0 } else { 1.0 };
        format!("{}{}", number::pair(unit * held.score, unit * held.se, 3), if self.classes { " %" } else { "" })
    }

    /// The options that set what is best over all seeds together.
    pub fn options(&self, base: Strengths) -> String {
        let strengths = self.overall(base);
        let mut out = Command::new("ridgepole study");
        for axis in self.searches.iter().flat_map(|s| &s.grid.axes) {
            out.option(axis.knob.option, exact(axis.knob.get(&strengths)));
        }
        out.line().into()
    }

    /// The lines for the terminal.
    pub fn lines(&self, base: Strengths) -> Vec<String> {
        let heads = ["treatment", "chosen by the seeds", "best over all", "held-out score"].map(String::from);
        let row = |s: &Search| {
            let own = !s.grid.axes.is_empty();
            let chosen = if own { s.said(3) } else { String::new() };
            [s.treatment.title().to_string(), chosen, s.grid.said(s.overall), self.score(s.score(s.overall, self.classes))]
        };
        let rows: Vec<[String; 4]> = std::iter::once(heads).chain(self.searches.iter().map(row)).collect();
        let width = |c: usize| rows.iter().map(|r| r[c].chars().count()).max().unwrap_or(0);
        let widths = [0, 1, 2, 3].map(width);
        let cell = |(c, text): (usize, &String)| format!("{text}{}", " ".repeat(widths[c] - text.chars().count()));
        let line = |r: &[String; 4]| r.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ").trim_end().to_string();
        let mut out = vec![format!("strengths by cross-validation: {}", self.how())];
        out.extend(rows.iter().map(line));
        out.push(format!("one choice for all seeds would be: {}", self.options(base)));
        out
    }

    /// Choices at an end of what was tried, and searches in which nothing could be chosen.
    pub fn notices(&self) -> Vec<String> {
        let mut out = Vec::new();
        for search in &self.searches {
            let title = search.treatment.title();
            for (axis, ends) in search.grid.axes.iter().zip(search.at_ends()) {
                let (values, last) = (axis.values, axis.values.len() - 1);
                let words = [(0, "weakest", "weaker"), (last, "strongest", "stronger")];
                for ((place, end, beyond), seeds) in words.into_iter().zip(ends).filter(|(_, seeds)| *seeds > 0) {
                    out.push(format!(
                        "notice: --tuned: {title}: {seeds} of {} chose {} = {}, the {end} that was tried: what is {beyond} might do better",
                        text::count(self.seeds.len(), "seed"),
                        axis.knob.letter,
                        exact(values[place])
                    ));
                }
            }
            let lost = |tried: &Vec<super::Tried>| tried.iter().all(|t| t.folds.iter().any(|m| !m.loss.is_finite()));
            for (seed, _) in self.seeds.iter().zip(&search.tried).filter(|(_, tried)| lost(tried)) {
                let used = if search.grid.axes.is_empty() { String::new() } else { format!("; {} is used", search.grid.said(0)) };
                out.push(format!("notice: --tuned: {title}: every network diverged on some held-out fold of seed {seed}{used}"));
            }
        }
        out
    }

    /// All numbers.
    pub fn json(&self, base: Strengths) -> Value {
        let search = |s: &Search| {
            let candidate = |c: usize| {
                let all = s.score(c, self.classes);
                let seed = |(seed, tried): (&u64, &Vec<super::Tried>)| {
                    let own = Held::of(std::iter::once(&tried[c]), self.classes);
                    json!({ "seed": seed, "score": own.score, "se": own.se, "folds": tried[c].folds })
                };
                json!({
                    "strengths": s.grid.json(c), "score": all.score, "se": all.se,
                    "seeds": self.seeds.iter().zip(&s.tried).map(seed).collect::<Vec<_>>(),
                })
            };
            let chosen = |(seed, &c): (&u64, &usize)| json!({ "seed": seed, "candidate": c, "strengths": s.grid.json(c) });
            json!({
                "name": s.treatment.key(), "title": s.treatment.title(),
                "candidates": (0..s.grid.count()).map(candidate).collect::<Vec<_>>(),
                "chosen": self.seeds.iter().zip(&s.chosen).map(chosen).collect::<Vec<_>>(),
                "best_over_all_seeds": { "candidate": s.overall, "strengths": s.grid.json(s.overall) },
                "seeds_at_ends": s.grid.axes.iter().zip(s.at_ends()).map(|(axis, [weakest, strongest])| json!({
                    "option": axis.knob.option, "weakest": weakest, "strongest": strongest,
                })).collect::<Vec<_>>(),
            })
        };
        json!({
            "folds": self.folds,
            "how": self.how(),
            "treatments": self.searches.iter().map(search).collect::<Vec<_>>(),
            "command": self.options(base),
            "notices": self.notices(),
        })
    }

    /// What the seeds chose for a treatment, to be said beside what it does.
    pub fn beside(&self, treatment: Treatment) -> Option<String> {
        self.search(treatment).map(|s| format!("chosen by {}: {}", text::count(self.seeds.len(), "seed"), s.said(usize::MAX)))
    }
}
