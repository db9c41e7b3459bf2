//! Families of linear models.
use ridgepole_derive::value;
use serde::{Deserialize, Serialize};

/// What a model expects of the target where its linear predictor is z, and with which loss it is fitted.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinearModel {
    /// μ = z, with the loss ½·(y - z)².
    #[default]
    Linear,
    /// μ = 1/(1 + exp(-z)), with the loss ln(1 + exp(z)) - y·z for y of 0 or 1.
    Logistic,
}

impl LinearModel {
    /// The one of a pair that is this model's.
    pub(crate) fn of<T>(self, linear: T, logistic: T) -> T {
        if self == Self::Linear { linear } else { logistic }
    }
}
