//! Losses of the family `batched`.
use serde::{Deserialize, Serialize};

/// What a network is trained to make small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchedLossKind {
    /// Σ t·(-ln softmax(z)), of logits z against shares t of the classes.
    #[default]
    CrossEntropy,
    /// Σ (p - t)².
    SquaredError,
}
