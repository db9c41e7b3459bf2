//! How far the activations of kernels may be off.
use crate::{
    options::Activation,
    types::DType,
    verify::{Approx, reference},
};

const E: f64 = DType::F32.epsilon();
const LEAST: f64 = DType::F32.least_normal();

impl Activation {
    /// What the kernel makes of v, and of the derivative there; v is finite.
    pub(crate) fn approx(self, u: Approx) -> [Approx; 2] {
        let one = Approx::exact(1.0);
        let (value, slope) = reference::activation(self, u.value);
        let put = |[v, s]: [f64; 2]| [Approx { value, error: v }, Approx { value: slope, error: s }];
        match self {
            Self::None => [u, one],
            Self::Relu | Self::LeakyRelu { .. } => {
                let below = if let Self::LeakyRelu { slope } = self { slope } else { 0.0 };
                // What is below the least normal number may count as 0 or not; 0 itself is certain.
                let (positive, not) = (u.value - u.error >= LEAST, u.value + u.error <= -LEAST || u == Approx::exact(0.0));
                if positive {
                    [u, one]
                } else if not {
                    [u.scaled(below), Approx::host(below)]
                } else {
                    // It moves no two numbers further apart than the larger of its slopes does.
                    let error = u.error * below.max(1.0) + u.scaled(below).error + LEAST;
                    put([error, (1.0 - below).abs() + Approx::host(below).error])
                }
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
                let value_of_tail = (-half_square).exp();
                let relative = if value_of_tail == 0.0 { 0.0 } else { (E * (3.0 + 4.0 * half_square) + a * u.error) * 1.01 };
                let tail = Approx { value: value_of_tail, error: value_of_tail * relative + LEAST };
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
    let share = 1.0 - value;
    let inherited = (3.0 + 2.0 * t.value.abs()) * E + t.error.exp_m1();
    // Where t is far from 0 for certain, σ is 0 or 1 whatever its error.
    let moved = if value * share == 0.0 && t.value.abs() - t.error > 700.0 { 0.0 } else { inherited * share * 1.01 };
    let s = Approx { value, error: value * (moved + 4.0 * E) + 4.0 * LEAST }.off_by_at_most(1.0 + 4.0 * E);
    let rest = Approx::sum([Approx::exact(1.0), s.negative()]);
    let slope = s.times(Approx::sum([Approx::exact(1.0), u.times(rest).times(rise)]));
    let cut = (1.0 + u.value.abs()) * (1.0 + rise.value.abs()) * 4.0 * LEAST;
    [u.times(s).error + cut, slope.error + cut]
}
