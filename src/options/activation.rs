//! The activations that norms and dropouts apply in their own pass, and how far their kernels may be off.
use super::check_held;
use crate::types::Error;
use ridgepole_derive::value;
use serde::{Deserialize, Serialize};

/// What is done to each value v in the pass that makes it. NaN stays NaN; -∞ becomes 0 but for the leaky kind.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Activation {
    /// Nothing.
    #[default]
    None,
    /// max(v, 0). The derivative at 0 is 0: PyTorch and JAX. That of a NaN is 1, as for the leaky kind.
    Relu,
    /// v where v > 0, slope·v elsewhere; the derivative at 0 is the slope, as in PyTorch. (JAX takes 1 there.)
    LeakyRelu {
        /// What the rest is multiplied by; 0.01 is PyTorch's and JAX's. With 0 this is `Relu`.
        #[field(min = 0)]
        slope: f64,
    },
    /// v/(1 + exp(-v)) (swish).
    Silu,
    /// v·Φ(v) with the normal distribution function Φ: PyTorch's `gelu`; Hendrycks and Gimpel, 2016. Φ is right to 3e-6.
    Gelu,
    /// Their approximation of it by tanh: JAX's `gelu`, PyTorch's with `approximate="tanh"`.
    GeluTanh,
}

impl Activation {
    pub(crate) fn check(self, op: &'static str) -> Result<(), Error> {
        self.check_field(op, "activation")
    }

    /// The same under another name.
    pub(crate) fn check_field(self, op: &'static str, field: &'static str) -> Result<(), Error> {
        match self {
            Self::LeakyRelu { slope } if !(0.0..=f64::from(f32::MAX)).contains(&slope) => Err(Error::argument(
                op,
                field,
                format!("has slope {slope}, must be at least 0 and finite in f32: that of what is not positive, 0.01 is usual"),
            )),
            Self::LeakyRelu { slope } => check_held(op, field, "has slope", slope),
            _ => Ok(()),
        }
    }

    /// Whether the sign of the result is that of v, and all that its derivative depends on.
    pub(crate) fn by_sign(self) -> bool {
        matches!(self, Self::Relu | Self::LeakyRelu { .. })
    }
}
