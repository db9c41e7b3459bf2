//! Running statistics of batch normalisation, and what one value per channel means.
use super::check_held;
use crate::types::{Error, Space};
use ridgepole_derive::value;
use serde::{Deserialize, Serialize};

/// How running statistics follow those of the batch: r ← (1 - a)·r + a·batch.
#[value(default = r#"{"update": {"momentum": 0.1}, "variance": "unbiased"}"#)]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Running {
    /// Where a comes from.
    pub update: RunningUpdate,
    /// Which variance the running one follows.
    #[field(default)]
    pub variance: RunningVariance,
}

impl Default for Running {
    /// PyTorch's: momentum 0.1, the unbiased variance.
    fn default() -> Self {
        Self { update: RunningUpdate::Momentum(0.1), variance: RunningVariance::Unbiased }
    }
}

/// The share a of the newest batch in the running statistics.
#[value]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RunningUpdate {
    /// a itself; PyTorch's momentum, by default 0.1.
    #[field(min = 0, max = 1)]
    Momentum(f64),
    /// a = 1/(seen + 1), the average over all batches; PyTorch's momentum=None.
    Cumulative {
        /// Batches before this one.
        seen: u64,
    },
}

impl Running {
    pub(crate) fn check(self, op: &'static str) -> Result<(), Error> {
        match self.update {
            RunningUpdate::Momentum(a) if !(0.0..=1.0).contains(&a) => {
                Err(Error::argument(op, "running", format!("has momentum {a}, must be in 0..=1: the share of the new batch")))
            }
            RunningUpdate::Momentum(a) => check_held(op, "running", "has momentum", a),
            RunningUpdate::Cumulative { .. } => Ok(()),
        }
    }
}

impl RunningUpdate {
    /// From the momentum of Keras and Flax, which is the share of the old value: 0.99 there is a = 0.01.
    pub fn keras(momentum: f64) -> Self {
        Self::Momentum(1.0 - momentum)
    }

    /// a.
    pub fn share(self) -> f64 {
        match self {
            Self::Momentum(a) => a,
            Self::Cumulative { seen } => 1.0 / (seen as f64 + 1.0),
        }
    }
}

/// The divisor of the running variance.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunningVariance {
    /// m - 1: PyTorch.
    #[default]
    Unbiased,
    /// m: Keras, Flax, Burn.
    Biased,
}

/// What to do in training if a channel has one value: then y = β whatever x is, and the unbiased variance is 0/0.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OneValue {
    /// An error when the op is planned: PyTorch.
    #[default]
    Error,
    /// Normalise, and leave the running statistics as they are.
    SkipRunning,
    /// Normalise, and take 1 for m - 1: the running variance follows 0.
    Guard,
}

impl OneValue {
    /// Refuses a space whose channels have one value each, unless that is provided for.
    pub(crate) fn check(self, op: &'static str, space: &Space) -> Result<(), Error> {
        if space.c == 0 || space.n.saturating_mul(space.s) != 1 || self != Self::Error {
            return Ok(());
        }
        Err(Error::argument(
            op,
            "space",
            "has 1 value per channel (n·s = 1), must have at least 2 for a variance: take a larger batch, \
             or set one_value to skip_running or guard",
        ))
    }

    /// The running update that a batch makes, if any, and the divisor of its variance.
    pub(crate) fn update(self, space: &Space, running: Option<Running>) -> (Option<RunningUpdate>, f64) {
        let m = space.n * space.s;
        let skip = space.is_empty() || (m == 1 && self == Self::SkipRunning);
        let biased = running.is_none_or(|r| r.variance == RunningVariance::Biased);
        let divisor = if biased { m } else { m.saturating_sub(1) };
        (running.filter(|_| !skip).map(|r| r.update), divisor.max(1) as f64)
    }
}
