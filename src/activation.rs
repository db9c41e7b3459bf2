//! The activation that a normalisation applies in its own pass.
use crate::{Error, ops::Field};
use serde::{Deserialize, Serialize};

/// What is done to each normalised value v before it is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Activation {
    /// Nothing.
    #[default]
    None,
    /// max(v, 0). NaN stays NaN, and the derivative at 0 is 0: PyTorch and JAX.
    Relu,
    /// v where v > 0, slope·v elsewhere; the derivative at 0 is the slope, as in PyTorch. (JAX takes 1 there.)
    LeakyRelu {
        /// At least 0 and finite in f32; 0.01 is PyTorch's and JAX's. With 0 this is `Relu`.
        slope: f64,
    },
}

impl Activation {
    pub(crate) const FIELD: Field = Field {
        name: "activation",
        default: "\"none\"",
        about: "applied last: none, relu, or {\"leaky_relu\": {\"slope\": 0.01}}",
    };

    /// What values that are not positive are multiplied by: 1 without an activation.
    pub fn slope(self) -> f64 {
        match self {
            Self::None => 1.0,
            Self::Relu => 0.0,
            Self::LeakyRelu { slope } => slope,
        }
    }

    pub(crate) fn check(self, op: &'static str) -> Result<(), Error> {
        if (0.0..=f64::from(f32::MAX)).contains(&self.slope()) {
            return Ok(());
        }
        let slope = self.slope();
        Err(Error::argument(
            op,
            "activation",
            format!("has slope {slope}, must be at least 0 and finite in f32: that of what is not positive, 0.01 is usual"),
        ))
    }
}
