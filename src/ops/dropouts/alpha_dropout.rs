//! Alpha dropout, forward. Kernel: `shaders/dropouts/alpha_dropout.wgsl`. Reference: `cpu::alpha_dropout`.
use super::Dropout;
#[cfg(feature = "verify")]
use super::shared::expected::{packed, within};
use crate::{
    kernel,
    op::{Arg, ByName, Caps, Lowered, Op},
    ops::dropouts::shared::masked_map::{MaskSource, Rule, Settled},
    options::{Bits, Key, MaskMode, Scaling, Share},
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

/// Alpha dropout, for self-normalizing networks (SELU): y = a·(m ? x : α') + b, m as in [`Dropout`](super::Dropout).
///
/// Reads `x`, writes `y`, both with the elements of `space`; with a stored mask in training also writes `mask`, a bit for
/// each element: see [`MaskMode::Store`]. After training y is x, bit for bit. No scratch. Deterministic.
///
/// α' = -1.7580993408473766, the value at which SELU saturates; a = ((1-p)·(1 + p·α'²))^-½ and b = -a·p·α', which preserve a
/// mean of 0 and a variance of 1. p is here the realised probability, 1 - T/2^b ([`Bits`]), so that this holds exactly.
/// [`Share::Channel`] is feature alpha dropout.
///
/// p = 0 (T = 2^b) copies every bit of x. p = 1 (T = 0) writes zeros, as PyTorch does: it is the limit of y for p towards 1
/// on what is dropped. Dropped elements do not depend on x, even where it is NaN.
///
/// [`Plan::update`](crate::device::Plan::update) as for [`Dropout`](super::Dropout).
///
/// Error: running analysis of a·x + b with both rounded to f32, and the rounding of the storage type.
/// Klambauer, Unterthiner, Mayr and Hochreiter, "Self-normalizing neural networks", 2017; PyTorch's `alpha_dropout` and
/// `feature_alpha_dropout`.
#[op(
    name = "alpha_dropout",
    summary = "alpha dropout of elements or channels for SELU networks; preserves mean 0 and variance 1",
    formula = "y = a·(m ? x : α') + b, α' = -1.7581, a = ((1-p)(1 + p·α'²))^-½, b = -a·p·α'",
    cases = AlphaDropout::cases,
    bench = AlphaDropout::bench
)]
pub struct AlphaDropout {
    /// How x and y are stored.
    pub dtype: DType,
    /// The shape; [`Space::flat`] where it does not matter.
    pub space: Space,
    /// The probability of dropping.
    #[field(min = 0, max = 1)]
    pub p: f64,
    /// What the mask is drawn from.
    pub key: Key,
    /// Which elements share a decision; sizes are limited as in [`Dropout`](super::Dropout).
    #[field(default)]
    pub share: Share,
    /// Random bits per decision.
    #[field(default)]
    pub bits: Bits,
    /// Whether the mask is stored.
    #[field(default)]
    pub mask: MaskMode,
    /// Whether the network is in training; if not, nothing is dropped.
    #[field(default = true)]
    pub training: bool,
}

impl AlphaDropout {
    /// Training, a decision per element of 16 bits, no stored mask.
    pub fn new(dtype: DType, space: Space, p: f64, key: Key) -> Self {
        Self::from_required(dtype, space, p, key)
    }

    /// Whether the op writes the mask.
    pub fn stores_mask(&self) -> bool {
        self.dropout().stores_mask()
    }

    /// The op with the same buffers and the same mask.
    pub(super) fn dropout(&self) -> Dropout {
        let Self { dtype, space, p, key, share, bits, mask, training } = *self;
        Dropout { dtype, space, p, key, share, scaling: Scaling::Inverted, bits, mask, training }
    }
}

impl Op for AlphaDropout {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        self.dropout().args()
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, (masked, _)) = (self.args(), self.dropout().masked(NAME)?);
        let (x, y, source) = (args.at("x"), args.at("y"), MaskSource::Drawn(args.find_at("mask")));
        let steps = if !self.training || masked.keeps_all() {
            masked.settled(caps, &[Settled::Copy(x, y)], source)?
        } else if masked.keeps_none() {
            masked.settled(caps, &[Settled::Zeros(y)], source)?
        } else {
            let p = 1.0 - masked.keep();
            let scalars =
                [reference::alpha_factor(p), reference::alpha_dropout(0.0, true, p), reference::alpha_dropout(0.0, false, p)];
            let rule = Rule { scalars, ..Rule::new(kernel!("dropouts/alpha_dropout"), NAME) };
            masked.steps(caps, &rule, &[("x", x), ("y", y)], source)?
        };
        Ok(Lowered { steps, ..Default::default() })
    }
}

#[cfg(feature = "verify")]
impl Verify for AlphaDropout {
    fn patterns(&self) -> Vec<Pattern> {
        self.dropout().patterns()
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (of, dropout) = (Contents::new(self.args(), args), self.dropout());
        let (x, p, kept) = (of.get("x"), 1.0 - dropout.keep(), dropout.kept(None));
        let y = if !self.training || p == 0.0 {
            Expected::Exact(x.clone())
        } else if p == 1.0 {
            Expected::Exact(HostData::from_f64(self.dtype, vec![0.0; kept.len()]))
        } else {
            let [b, dropped] = [true, false].map(|kept| Approx::host(reference::alpha_dropout(0.0, kept, p)));
            let one = |(x, &kept): (f64, &bool)| {
                let y = Approx::sum([Approx::exact(x).times(Approx::host(reference::alpha_factor(p))), b]);
                let error = if kept { y.error } else { dropped.error };
                Approx { value: reference::alpha_dropout(x, kept, p), error }
            };
            within(self.dtype, x.to_f64().into_iter().zip(&kept).map(one))
        };
        let mut out = vec![y];
        out.extend(self.stores_mask().then(|| packed(&kept)));
        out
    }
}
