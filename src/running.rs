//! Running statistics of batch normalisation, and what one value per channel means.
use serde::{Deserialize, Serialize};

/// How running statistics follow those of the batch: r ← (1 - a)·r + a·batch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Running {
    /// Where a comes from.
    pub update: RunningUpdate,
    /// Which variance the running one follows.
    #[serde(default)]
    pub variance: RunningVariance,
}

impl Default for Running {
    /// PyTorch's: momentum 0.1, the unbiased variance.
    fn default() -> Self {
        Self { update: RunningUpdate::Momentum(0.1), variance: RunningVariance::Unbiased }
    }
}

/// The share a of the newest batch in the running statistics.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RunningUpdate {
    /// a itself, in 0..=1; PyTorch's momentum, by default 0.1.
    Momentum(f64),
    /// a = 1/(seen + 1), the average over all batches; PyTorch's momentum=None.
    Cumulative {
        /// Batches before this one.
        seen: u64,
    },
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
