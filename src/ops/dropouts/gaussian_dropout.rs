//! Gaussian dropout, forward. Kernel: `shaders/dropouts/gaussian_dropout.wgsl`. Reference: `cpu::gaussian_dropout`.
#[cfg(feature = "verify")]
use super::shared::expected::noise;
use crate::{
    kernel,
    op::{Arg, ByName, Caps, Lowered, Op},
    ops::dropouts::shared::noise_map::Noised,
    options::{Key, Share, check_held},
    types::{DType, Error, Space},
    verify::reference,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Verify},
    types::HostData,
    verify::Approx,
};
use ridgepole_derive::op;

#[cfg(feature = "verify")]
mod cases;

/// Gaussian dropout: y = x·(1 + √(p/(1-p))·z), with standard normal z for each element (or channel, or sample).
///
/// Reads `x`, writes `y`, both with the elements of `space`. The factors have the mean and variance of those of
/// [`Dropout`](super::Dropout) with the same p; after training y is x, bit for bit. As in Keras, p only sets the variance;
/// nothing is dropped. p = 0 copies; p = 1 has no finite variance and is refused.
///
/// Number i of the key is normal number i & 3 of Philox call i >> 2, by Box and Muller's transform; [`Share`] numbers the
/// elements as for dropout, so the numbers are the same for every layout, storage type and partition of the work. |z| is at
/// most 5.77. The random words are the same on every device, the normal numbers within their error. No scratch.
/// Deterministic. One dispatch, one more for an end that is no whole quad, one for each window beyond the binding limit.
///
/// Error: 16 ulp of z, running analysis of the product, and the rounding of the storage type.
/// [`Plan::update`](crate::Plan::update) takes another key or p, unless p becomes or ceases to be 0.
///
/// Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout: a simple way to prevent neural networks from
/// overfitting", 2014, section 10; Keras' `GaussianDropout`.
#[op(
    name = "gaussian_dropout",
    summary = "multiplicative Gaussian noise of mean 1, with the variance of dropout's factors",
    formula = "y = x·(1 + √(p/(1-p))·z), z standard normal",
    cases = GaussianDropout::cases,
    bench = GaussianDropout::bench
)]
pub struct GaussianDropout {
    /// How x and y are stored.
    pub dtype: DType,
    /// The shape; [`Space::flat`] where it does not matter.
    pub space: Space,
    /// The rate, of which the variance of the factor is p/(1-p).
    #[field(min = 0, below = 1)]
    pub p: f64,
    /// What the numbers are drawn from.
    pub key: Key,
    /// Which elements share a number; sizes are limited as in [`Dropout`](super::Dropout).
    #[field(default)]
    pub share: Share,
    /// Whether the network is in training; if not, y is x.
    #[field(default = true)]
    pub training: bool,
}

impl GaussianDropout {
    /// Training, a number for each element.
    pub fn new(dtype: DType, space: Space, p: f64, key: Key) -> Self {
        Self::from_required(dtype, space, p, key)
    }

    /// The map, under the name of `op`.
    pub(super) fn noised(&self, op: &'static str) -> Result<Noised, Error> {
        let Self { dtype, space, p, key, share, training } = *self;
        if !(0.0..1.0).contains(&p) {
            let why = format!("is {p}, must be at least 0 and below 1: the variance of the factor is p/(1-p)");
            return Err(Error::argument(op, "p", why));
        }
        check_held(op, "p", "is", p)?;
        Ok(Noised { op, dtype, space, deviation: if training { reference::gaussian_deviation(p) } else { 0.0 }, key, share })
    }
}

#[cfg(feature = "verify")]
impl GaussianDropout {
    /// What the map must give for x.
    pub(super) fn results(&self, x: &HostData, one: fn(f64, f64, f64) -> f64) -> Vec<Expected> {
        let deviation = reference::gaussian_deviation(self.p);
        let item = |x: f64, z: f64, moved: Approx| {
            let error = Approx::exact(x).times(Approx::sum([Approx::exact(1.0), moved])).error;
            Approx { value: one(x, z, deviation), error }
        };
        noise(x, if self.training { deviation } else { 0.0 }, &self.space, &self.key, self.share, item)
    }
}

impl Op for GaussianDropout {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = self.space.len();
        vec![Arg::read("x", self.dtype, len), Arg::write("y", self.dtype, len)]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let args = self.args();
        let kernel = (kernel!("dropouts/gaussian_dropout"), NAME);
        self.noised(NAME)?.lower(caps, kernel, [args.at("x"), args.at("y")])
    }
}

#[cfg(feature = "verify")]
impl Verify for GaussianDropout {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        self.results(Contents::new(self.args(), args).get("x"), reference::gaussian_dropout)
    }
}
