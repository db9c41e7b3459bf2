//! Activations that the fused dropouts apply, and how far their kernels may be off.
use crate::{
    Approx, DType, Error, cpu,
    ops::Field,
    wgsl::{Source, part},
};
use serde::{Deserialize, Serialize};

/// An activation between a bias and a dropout. NaN stays NaN; -∞ becomes 0 but for the leaky kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Nonlinearity {
    /// u itself.
    #[default]
    None,
    /// max(u, 0). The derivative at 0 is 0.
    Relu,
    /// u where u > 0, slope·u elsewhere; the derivative at 0 is the slope, as in PyTorch.
    LeakyRelu {
        /// At least 0 and finite in f32; 0.01 is usual.
        slope: f64,
    },
    /// u/(1 + exp(-u)) (swish).
    Silu,
    /// u·Φ(u) with the normal distribution function Φ: PyTorch's `gelu`; Hendrycks and Gimpel, 2016. Φ is right to 3e-6.
    Gelu,
    /// Their approximation of it by tanh: JAX's `gelu`, PyTorch's with `approximate="tanh"`.
    GeluTanh,
}

const E: f64 = DType::F32.epsilon();
const LEAST: f64 = DType::F32.least_normal();

impl Nonlinearity {
    pub(crate) const FIELD: Field = Field {
        name: "act",
        default: "\"none\"",
        about: "the activation: none, relu, {\"leaky_relu\": {\"slope\": 0.01}}, silu, gelu or gelu_tanh",
    };

    pub(crate) fn check(self, op: &'static str) -> Result<(), Error> {
        if (0.0..=f64::from(f32::MAX)).contains(&self.slope()) {
            return Ok(());
        }
        let why = format!("has slope {}, must be at least 0 and finite in f32; 0.01 is usual", self.slope());
        Err(Error::argument(op, "act", why))
    }

    /// `params.other` of the kernels: what a leaky kind multiplies by.
    pub(crate) fn slope(self) -> f64 {
        if let Self::LeakyRelu { slope } = self { slope } else { 0.0 }
    }

    pub(crate) fn part(self) -> Source {
        part(match self {
            Self::None => "lib/act_none",
            Self::Relu | Self::LeakyRelu { .. } => "lib/act_leaky",
            Self::Silu => "lib/act_silu",
            Self::Gelu => "lib/act_gelu",
            Self::GeluTanh => "lib/act_gelu_tanh",
        })
    }

    /// What the kernel makes of u, and of the derivative there; u is finite.
    pub(crate) fn approx(self, u: Approx) -> [Approx; 2] {
        let one = Approx::exact(1.0);
        let (value, slope) = cpu::nonlinearity(self, u.value);
        let put = |[v, s]: [f64; 2]| [Approx { value, error: v }, Approx { value: slope, error: s }];
        match self {
            Self::None => [u, one],
            Self::Relu | Self::LeakyRelu { .. } => {
                let below = self.slope();
                // On either side of 0 by chance; the value is continuous there.
                let unsure = u.value.abs() <= u.error || (u.value != 0.0 && u.value.abs() < LEAST);
                let error = below.max(1.0) * u.error + 2.0 * E * value.abs() + if below > 0.0 { LEAST } else { 0.0 };
                let exact = below == 0.0 && u.error == 0.0 && u.value.abs() >= LEAST || value == 0.0 && !unsure;
                let of_slope = if unsure { (1.0 - below).abs() } else { 0.0 } + 2.0 * E * below;
                put([if exact { 0.0 } else { error + LEAST }, if below == 0.0 && !unsure { 0.0 } else { of_slope }])
            }
            Self::Silu => put(gated(u, u, one)),
            Self::GeluTanh => {
                let k = Approx::host((8.0 / std::f64::consts::PI).sqrt());
                let square = Approx::host(0.044715).times(u.times(u));
                let t = k.times(u.times(Approx::sum([one, square])));
                put(gated(u, t, k.times(Approx::sum([one, Approx::exact(3.0).times(square)]))))
            }
            Self::Gelu => {
                let (a, half_square) = (u.value.abs(), 0.5 * u.value * u.value);
                // 7.1.26: 1.5e-7 in erf; its polynomial by Horner's rule, whose terms come to 4.5 at most; the tail's exp.
                let tail = Approx {
                    value: (-half_square).exp(),
                    error: (-half_square).exp() * (E * (3.0 + 4.0 * half_square) + a * u.error) * 1.01 + LEAST,
                };
                let phi = Approx {
                    value: if a == 0.0 { 0.5 } else { value / u.value },
                    error: 0.5 * (1.5e-7 + 48.0 * E * tail.value + tail.error + u.error) + 2.0 * E,
                };
                let v = u.times(phi);
                let s = Approx::sum([phi, u.times(Approx::host(0.3989422804014327).times(tail))]);
                put([v.error + (1.0 + a) * LEAST, s.error + (1.0 + a) * LEAST])
            }
        }
    }
}

/// How far u·σ(t) and its derivative σ·(1 + u·(1 - σ)·rise) may be off.
fn gated(u: Approx, t: Approx, rise: Approx) -> [f64; 2] {
    let value = 1.0 / (1.0 + (-t.value).exp());
    // exp is good to 3 + 2|t| ulp; of the sum it is the share 1 - σ; the sum and the quotient round. Beyond ±87 it is cut off.
    let relative = ((3.0 + 2.0 * t.value.abs()) * E + t.error.exp_m1()) * (1.0 - value) * 1.01 + 4.0 * E;
    let s = Approx { value, error: value * relative + 4.0 * LEAST };
    let rest = Approx::sum([Approx::exact(1.0), s.negative()]);
    let slope = s.times(Approx::sum([Approx::exact(1.0), u.times(rest).times(rise)]));
    let cut = (1.0 + u.value.abs()) * (1.0 + rise.value.abs()) * 4.0 * LEAST;
    [u.times(s).error + cut, slope.error + cut]
}
