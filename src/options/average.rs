//! How a running average of weights follows them: the vocabulary of the ops `ema` and of the optimizers' field `ema`.
use super::check_held;
use crate::types::Error;
use ridgepole_derive::value;
use serde::{Deserialize, Serialize};

/// An exponential moving average: average = d·average + (1 - d)·w, where d is `decay` or, early on, less than it.
///
/// On the GPU the form is average + (1 - d)·(w - average), with 1 - d from the host in f64: a constant stays what it is, however
/// close to 1 d may be. With d = 0 (which all warm-ups begin with but TensorFlow's) what the average held before does not matter,
/// also where it is NaN; with d = 1 it stays.
#[value]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Averaging {
    /// The share of the old average that remains when the warm-up is over.
    #[field(min = 0, max = 1)]
    pub decay: f64,
    /// What keeps the share smaller before.
    #[field(default)]
    pub warmup: Warmup,
}

/// How an average begins. `updates` is the number of updates that it has had before this one, t. Frameworks differ, so each
/// has a name.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Warmup {
    /// d = decay from the first update on: the caller fills the average with the weights before (PyTorch's `get_ema_avg_fn`,
    /// whose AveragedModel begins with a copy; Keras).
    #[default]
    None,
    /// d = min(decay, (1 + t)/(10 + t)) (TensorFlow's ExponentialMovingAverage with `num_updates`).
    TensorFlow {
        /// t, the number of updates before this one.
        updates: u64,
    },
    /// d = min(decay, t/(t + 1)): the equal average of all weights so far, until decay is reached. With decay = 1 that never
    /// happens: Polyak averaging.
    Polyak {
        /// t, the number of updates before this one.
        updates: u64,
    },
    /// d = decay·(1 - decay^t)/(1 - decay^(t+1)): what begins with zeros and is divided by 1 - decay^t (optax with `debias`),
    /// without the division.
    Debiased {
        /// t, the number of updates before this one.
        updates: u64,
    },
}

impl Averaging {
    /// The same decay from the first update on.
    pub fn constant(decay: f64) -> Self {
        Self { decay, warmup: Warmup::None }
    }

    /// The equal average of all weights, `updates` of which it holds.
    pub fn polyak(updates: u64) -> Self {
        Self { decay: 1.0, warmup: Warmup::Polyak { updates } }
    }

    /// Checks the decay; `field` is what it is a part of, `prefix` comes before its value in the text.
    pub(crate) fn check(&self, op: &'static str, field: &'static str, prefix: &str) -> Result<(), Error> {
        if (0.0..=1.0).contains(&self.decay) {
            return check_held(op, field, prefix, self.decay);
        }
        let why = format!("{prefix} {}, must be in 0..=1: the share of the old average that remains", self.decay);
        Err(Error::argument(op, field, why))
    }

    /// 1 - d, without the cancellation.
    pub(crate) fn fresh(&self) -> f64 {
        let fresh = 1.0 - self.decay;
        match self.warmup {
            Warmup::None => fresh,
            Warmup::TensorFlow { updates } => fresh.max(9.0 / (10.0 + updates as f64)),
            Warmup::Polyak { updates } => fresh.max(1.0 / (1.0 + updates as f64)),
            // Exactly: what was there before must not matter.
            Warmup::Debiased { updates: 0 } => 1.0,
            Warmup::Debiased { updates } if fresh == 0.0 => 1.0 / (1.0 + updates as f64),
            Warmup::Debiased { updates } => fresh / -((1.0 + updates as f64) * self.decay.ln()).exp_m1(),
        }
    }
}

#[cfg(all(test, feature = "verify"))]
mod tests {
    use super::*;
    use crate::verify::reference;

    /// 1 - d as the host has it, and the reference.
    #[test]
    fn the_share_of_the_newest_is_that_of_the_formulas() {
        for decay in [0.0f64, 0.3, 0.9, 0.999, 0.9999999, 1.0] {
            for updates in [0, 1, 2, 9, 1000, 1 << 40, u64::MAX] {
                for (warmup, want) in [
                    (Warmup::None, 1.0 - decay),
                    (Warmup::TensorFlow { updates }, 1.0 - decay.min((1.0 + updates as f64) / (10.0 + updates as f64))),
                    (Warmup::Polyak { updates }, 1.0 - decay.min(updates as f64 / (1.0 + updates as f64))),
                    (Warmup::Debiased { updates }, reference::debiased_share(decay, updates)),
                ] {
                    let fresh = Averaging { decay, warmup }.fresh();
                    assert!((0.0..=1.0).contains(&fresh), "{decay}, {warmup:?}: {fresh}");
                    // Powers cancel where decay is near 1: by 2^-53 of 1, over what is left.
                    assert!((fresh - want).abs() <= 1e-9, "{decay}, {warmup:?}: {fresh} and {want}");
                    assert!(updates > 0 || warmup == Warmup::None || warmup == Warmup::TensorFlow { updates } || fresh == 1.0);
                }
            }
        }
    }
}
