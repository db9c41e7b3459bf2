//! What the losses share.
pub(crate) mod pairs;

use crate::{Error, optimizer::check_scalar};
use serde::{Deserialize, Serialize};

/// What becomes of the losses of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossReduction {
    /// Their mean, f32\[1\]. Of nothing it is 0 (PyTorch: NaN).
    #[default]
    Mean,
    /// Their sum, f32\[1\].
    Sum,
    /// Each is kept, f32; the gradient is that of their sum.
    None,
}

/// How a classifier is told what is right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Targets {
    /// By the number of a class for each row, u32\[rows\].
    #[default]
    Classes,
    /// By a share of each class, f32\[rows, classes\]; usually probabilities.
    Probabilities,
}

/// A convention of squared errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SquareForm {
    /// (p - t)².
    #[default]
    Whole,
    /// ½·(p - t)².
    Half,
}

/// A convention of the Huber loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HuberForm {
    /// ½·d², its slope at most δ.
    #[default]
    Huber,
    /// ½·d²/δ, its slope at most 1 (PyTorch's `smooth_l1_loss`, δ being its β).
    SmoothL1,
}

pub(crate) fn one() -> f64 {
    1.0
}

/// The factor of a gradient may be anything that f32 holds.
pub(crate) fn check_grad_scale(op: &'static str, scale: f64) -> Result<(), Error> {
    check_scalar(op, "grad_scale", scale, [f64::NEG_INFINITY, f64::INFINITY])
}
