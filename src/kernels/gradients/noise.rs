//! How strong the noise is that gradients get.
use crate::{Error, cpu, optimizer::check_scalar};
use serde::{Deserialize, Serialize};

/// The standard deviation of gradient noise.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum NoiseLevel {
    /// σ² = eta / (1 + t)^gamma, t being the key's step, counted from 0 (Neelakantan et al. 2015; `optax.add_noise`).
    Annealed {
        /// The variance in step 0, at least 0; the paper tries 0.01, 0.3 and 1.
        eta: f64,
        /// How fast it decays, at least 0; the paper's 0.55.
        #[serde(default = "gamma")]
        gamma: f64,
    },
    /// σ itself, at least 0, the same in every step.
    Constant {
        /// σ.
        std: f64,
    },
}

fn gamma() -> f64 {
    0.55
}

impl NoiseLevel {
    /// The paper's schedule.
    pub fn annealed(eta: f64) -> Self {
        Self::Annealed { eta, gamma: gamma() }
    }

    pub(crate) fn check(&self, op: &'static str) -> Result<(), Error> {
        let all: &[(&'static str, f64)] = match self {
            Self::Annealed { eta, gamma } => &[("eta", *eta), ("gamma", *gamma)],
            Self::Constant { std } => &[("std", *std)],
        };
        all.iter().try_for_each(|(field, v)| check_scalar(op, field, *v, [0.0, f64::INFINITY]))
    }

    /// σ in this step.
    pub(crate) fn std(&self, step: u32) -> f64 {
        match *self {
            Self::Annealed { eta, gamma } => cpu::annealed_noise(eta, gamma, step),
            Self::Constant { std } => std,
        }
    }
}
