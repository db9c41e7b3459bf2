//! The parts that apply an activation within another kernel's pass.
use crate::{
    options::Activation,
    wgsl::{Source, parts},
};

impl Activation {
    /// The part that has `act` and `act_slope`.
    pub(crate) fn part(self) -> Source {
        match self {
            Self::None => parts::activation::IDENTITY,
            Self::Relu | Self::LeakyRelu { .. } => parts::activation::LEAKY_RELU,
            Self::Silu => parts::activation::SILU,
            Self::Gelu => parts::activation::GELU,
            Self::GeluTanh => parts::activation::GELU_TANH,
        }
    }

    /// The `override` values of that part.
    pub(crate) fn consts(self) -> Vec<(&'static str, u32)> {
        let slope = if let Self::LeakyRelu { slope } = self { slope as f32 } else { 0.0 };
        if self.by_sign() { vec![("SLOPE", slope.to_bits())] } else { vec![] }
    }
}
