//! Conventions of losses.
use ridgepole_derive::value;
use serde::{Deserialize, Serialize};

/// What becomes of the losses of a batch.
#[value]
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
#[value]
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
#[value]
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
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HuberForm {
    /// ½·d², its slope at most δ.
    #[default]
    Huber,
    /// ½·d²/δ, its slope at most 1 (PyTorch's `smooth_l1_loss`, δ being its β).
    SmoothL1,
}

/// What a network is trained to make small.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchedLossKind {
    /// Σ t·(-ln softmax(z)), of logits z against shares t of the classes.
    #[default]
    CrossEntropy,
    /// Σ (p - t)².
    SquaredError,
}
