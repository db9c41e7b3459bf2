//! How gradients are clipped, and how much noise they get.
use super::check_scalar;
use crate::types::Error;
use ridgepole_derive::value;
use serde::{Deserialize, Serialize};

/// What a norm is clipped by. Frameworks differ, so it is a name.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClipForm {
    /// min(1, max_norm / (‖g‖ + 1e-6)): `torch.nn.utils.clip_grad_norm_`. A norm within 1e-6 of the limit is clipped too.
    #[default]
    Softened,
    /// min(1, max_norm / ‖g‖): `optax.clip_by_global_norm`.
    Plain,
}

impl ClipForm {
    /// What is added to the norm.
    pub fn eps(self) -> f64 {
        if self == Self::Softened { 1e-6 } else { 0.0 }
    }
}

/// What clipping by a norm does where the norm is NaN or infinite.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NonFiniteNorm {
    /// As in arithmetic: NaN makes every gradient NaN; an infinite norm makes finite gradients 0 and infinite ones NaN.
    /// PyTorch without `error_if_nonfinite`, and optax.
    #[default]
    Propagate,
    /// All gradients become 0, also those that are NaN.
    Zero,
    /// The factor is 1: gradients stay as they are.
    Keep,
}

/// The standard deviation of gradient noise.
#[value]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum NoiseLevel {
    /// σ² = eta / (1 + t)^gamma, t being the key's step, counted from 0 (Neelakantan et al. 2015; `optax.add_noise`).
    Annealed {
        /// The variance in step 0; the paper tries 0.01, 0.3 and 1.
        #[field(min = 0)]
        eta: f64,
        /// How fast it decays.
        #[field(default = 0.55, min = 0)]
        gamma: f64,
    },
    /// σ itself, the same in every step.
    Constant {
        /// σ.
        #[field(min = 0)]
        std: f64,
    },
}

impl NoiseLevel {
    /// The paper's schedule.
    pub fn annealed(eta: f64) -> Self {
        Self::Annealed { eta, gamma: Self::default_annealed_gamma() }
    }

    pub(crate) fn check(&self, op: &'static str) -> Result<(), Error> {
        let all: &[(&'static str, f64)] = match self {
            Self::Annealed { eta, gamma } => &[("eta", *eta), ("gamma", *gamma)],
            Self::Constant { std } => &[("std", *std)],
        };
        all.iter().try_for_each(|(field, v)| check_scalar(op, field, *v, [0.0, f64::INFINITY]))
    }
}
