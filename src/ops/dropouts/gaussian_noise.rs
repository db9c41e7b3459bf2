//! Gaussian noise. Kernel: `shaders/dropouts/gaussian_noise.wgsl`. Reference: `cpu::gaussian_noise`.
#[cfg(feature = "verify")]
use super::shared::expected::noise;
use crate::{
    kernel,
    op::{Arg, ByName, Caps, Lowered, Op},
    ops::dropouts::shared::noise_map::Noised,
    options::{Key, Share, check_held},
    types::{DType, Error, Space},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Verify},
    types::HostData,
    verify::{Approx, reference},
};
use ridgepole_derive::op;

/// Gaussian noise: y = x + deviation·z, with standard normal z for each element (or channel, or sample).
///
/// Reads `x`, writes `y`, both with the elements of `space`. After training, or with a deviation of 0, y is x bit for bit.
/// The numbers are those of [`GaussianDropout`](super::GaussianDropout) under the same key. The gradient with respect to x is
/// dy itself, so there is no backward op. No scratch. Deterministic. Dispatches as there.
///
/// Error: 16 ulp of z, running analysis of the product and the sum, and the rounding of the storage type.
/// [`Plan::update`](crate::Plan::update) takes another key or deviation, unless the deviation becomes or ceases to be 0.
///
/// Sietsma and Dow, "Creating artificial neural networks that generalize", 1991; Bishop, "Training with noise is equivalent to
/// Tikhonov regularization", 1995; Keras' `GaussianNoise`, whose `stddev` is `deviation`.
#[op(
    name = "gaussian_noise",
    summary = "additive Gaussian noise of mean 0",
    formula = "y = x + deviation·z, z standard normal",
    cases = GaussianNoise::cases,
    bench = GaussianNoise::bench
)]
pub struct GaussianNoise {
    /// How x and y are stored.
    pub dtype: DType,
    /// The shape; [`Space::flat`] where it does not matter.
    pub space: Space,
    /// The standard deviation of the noise.
    #[field(min = 0)]
    pub deviation: f64,
    /// What the numbers are drawn from.
    pub key: Key,
    /// Which elements share a number; sizes are limited as in [`Dropout`](super::Dropout).
    #[field(default)]
    pub share: Share,
    /// Whether the network is in training; if not, y is x.
    #[field(default = true)]
    pub training: bool,
}

impl GaussianNoise {
    /// Training, a number for each element.
    pub fn new(dtype: DType, space: Space, deviation: f64, key: Key) -> Self {
        Self::from_required(dtype, space, deviation, key)
    }
}

impl Op for GaussianNoise {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = self.space.len();
        vec![Arg::read("x", self.dtype, len), Arg::write("y", self.dtype, len)]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let args = self.args();
        let Self { dtype, space, deviation, key, share, training } = *self;
        if !(deviation >= 0.0 && (deviation as f32).is_finite()) {
            let why = format!("is {deviation}, must be at least 0, and finite as f32");
            return Err(Error::argument(NAME, "deviation", why));
        }
        check_held(NAME, "deviation", "is", deviation)?;
        let noised = Noised { op: NAME, dtype, space, deviation: if training { deviation } else { 0.0 }, key, share };
        noised.lower(caps, (kernel!("dropouts/gaussian_noise"), NAME), [args.at("x"), args.at("y")])
    }
}

#[cfg(feature = "verify")]
impl Verify for GaussianNoise {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let of = Contents::new(self.args(), args);
        let item = |x: f64, z: f64, moved: Approx| Approx {
            value: reference::gaussian_noise(x, z, self.deviation),
            error: Approx::sum([Approx::exact(x), moved]).error,
        };
        let deviation = if self.training { self.deviation } else { 0.0 };
        noise(of.get("x"), deviation, &self.space, &self.key, self.share, item)
    }
}
