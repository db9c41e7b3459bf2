//! `results.json`: every number and seed of a study.
use super::{
    decompose::Decomposed,
    differences::Difference,
    monte_carlo::MonteCarlo,
    results::{Histogram, Look, Outcome, Run, SMALL, Study, share},
};
use crate::{hash::Hash, stats::MeanSd, training::Measure};
use serde_json::{Value, json};

impl Study {
    /// All results, then how long they took: everything but the times is the same, bit for bit, whenever the same
    /// study runs on the same device.
    pub fn json(&self) -> Value {
        let (histograms, differences) = (self.histograms(), self.differences());
        let all = self.outcomes.iter().zip(&histograms).zip(&differences);
        let treatments: Vec<Value> = all.map(|((o, h), d)| self.treatment(o, h, d.as_ref())).collect();
        let d = &self.data;
        let sentences = self.sentences();
        json!({
            "format": "ridgepole-study/3",
            "program": concat!("ridgepole ", env!("CARGO_PKG_VERSION")),
            "device": self.device,
            "data": {
                "name": d.name, "rows": d.rows, "features": d.features, "classes": d.classes, "target": d.target,
                "train_rows": d.parts[0], "validation_rows": d.parts[1], "test_rows": d.parts[2],
            },
            "table": d.table,
            "score": if self.classes() { "accuracy" } else { "rmse" },
            "training": self.hyper,
            "strengths": self.strengths,
            "tuned": self.tuned.as_ref().map(|t| t.json(self.strengths)),
            "noise": self.noise,
            "seeds": self.seeds,
            "wrong_labels": if self.classes() { json!(self.wrong) } else { Value::Null },
            "sentences": { "cost": sentences.cost, "help": sentences.help },
            "overfitting": self.overfitting().map(|o| json!({
                "end": o.end.json(), "best": o.best.json(),
                "cost": o.cost.json(), "loss_cost": o.loss.json(), "verdict": o.verdict.key(),
            })),
            "order": self.order(&differences).into_iter().map(|i| self.outcomes[i].treatment.key()).collect::<Vec<_>>(),
            "treatments": treatments,
            "monte_carlo": self.monte_carlo.iter().map(MonteCarlo::json).collect::<Vec<_>>(),
            "decomposition": self.decomposition.as_ref().map(Decomposed::json),
            "times": {
                "total_seconds": self.seconds,
                "parts": self.times.iter().map(|(part, s)| json!({ "part": part, "seconds": s })).collect::<Vec<_>>(),
            },
        })
    }

    fn treatment(&self, o: &Outcome, h: &Histogram, d: Option<&Difference>) -> Value {
        json!({
            "name": o.treatment.key(),
            "title": o.treatment.title(),
            "settings": self.settings(o.treatment),
            "train": o.score(0).json(), "validation": o.score(1).json(), "test": o.score(2).json(),
            "gap": o.gap(self.classes()).json(),
            "test_loss": o.loss(2).json(),
            "difference": d.map(|d| json!({
                "score": d.score.json(), "loss": d.loss.json(), "verdict": d.verdict.key(), "holm": d.holm,
            })),
            "learned_share": self.by_heart(o).map(MeanSd::json),
            "zeros": o.zeros().json(),
            "small": o.small().json(),
            "histogram": { "from": -h.range, "to": h.range, "shares": h.shares },
            "runs": self.seeds.iter().zip(&o.runs).map(|(seed, r)| run(*seed, r)).collect::<Vec<_>>(),
        })
    }
}

fn run(seed: u64, r: &Run) -> Value {
    let curve = |part: usize, get: fn(&Measure) -> f64| r.curve.iter().map(|c| get(&c[part])).collect::<Vec<_>>();
    let look = |l: &Look| json!({ "epoch": l.epoch, "test": l.test, "learned": l.learned });
    json!({
        "seed": seed,
        "train": r.last[0], "validation": r.last[1], "test": r.last[2],
        "learned": r.learned,
        "best_epoch": (r.best_epoch > 0).then_some(r.best_epoch),
        "best": { "train": r.best[0], "validation": r.best[1], "test": r.best[2] },
        "looks": r.looks.iter().map(look).collect::<Vec<_>>(),
        "zeros": share(&r.weights, |w| w == 0.0),
        "small": share(&r.weights, |w| w.abs() <= SMALL),
        "weights": r.weights.len(),
        "weights_hash": Hash::default().bytes(r.weights.iter().flat_map(|w| w.to_le_bytes())).hex(),
        "curve": {
            "train_loss": curve(0, |m| m.loss), "validation_loss": curve(1, |m| m.loss),
            "train_score": curve(0, |m| m.score), "validation_score": curve(1, |m| m.score),
        },
    })
}
