//! Conventions that differ between frameworks.
use serde::{Deserialize, Serialize};

/// What weights are multiplied by where norms are held to a limit. Frameworks differ, so it is a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxNormForm {
    /// max / ‖w‖ above the limit, else 1.
    #[default]
    Plain,
    /// max / (‖w‖ + 1e-7) above the limit, else 1: `torch.renorm`, and the `max_norm` of `torch.nn.Embedding`.
    Torch,
    /// min(‖w‖, max) / (‖w‖ + 1e-7) on both sides: Keras' `MaxNorm`, which so shrinks every unit a little, each time.
    Keras,
}

impl MaxNormForm {
    /// What is added to the norm.
    pub fn eps(self) -> f64 {
        if self == Self::Plain { 0.0 } else { 1e-7 }
    }
}
