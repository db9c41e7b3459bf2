//! Zoneout, forward. Kernel: `shaders/dropouts/zoneout.wgsl`. Reference: `cpu::zoneout`.
use super::Dropout;
#[cfg(feature = "verify")]
use super::shared::expected::{packed, within};
use crate::{
    kernel,
    op::{Arg, ByName, Caps, Lowered, Op},
    ops::dropouts::shared::masked_map::{MaskSource, Rule, Settled},
    options::{Bits, Key, MaskMode, Scaling, Share},
    types::{DType, Error, Space},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Verify},
    types::HostData,
    verify::{Approx, reference},
};
use ridgepole_derive::op;

#[cfg(feature = "verify")]
mod cases;

/// Zoneout of a recurrent state: y = m ? x : previous, x being the new state and m drawn as in [`Dropout`](super::Dropout);
/// after training y = (1-p)·x + p·previous, the expectation over all masks.
///
/// Reads `x` and `previous`, writes `y`, all with the elements of `space`; with a stored mask in training also writes `mask`,
/// a bit for each element: see [`MaskMode::Store`]; 1 = the new value. No scratch. Deterministic.
///
/// p is the probability of keeping the previous value. It is here the realised one, 1 - T/2^b ([`Bits`]), so that the
/// expectation is exact. p = 0 (T = 2^b) copies x and p = 1 (T = 0) copies previous, also after training, whatever the other
/// one holds, even NaN. The authors draw a decision per element, with different rates for cell and hidden state: use two
/// calls with two streams.
///
/// [`Plan::update`](crate::device::Plan::update) as for [`Dropout`](super::Dropout).
///
/// Error: none in training; after it two products and a sum in f32, and the rounding of the storage type.
/// Krueger et al., "Zoneout: regularizing RNNs by randomly preserving hidden activations", 2017.
#[op(
    name = "zoneout",
    summary = "zoneout of a recurrent state: randomly keeps previous values; after training, the expectation",
    formula = "y = m·x + (1-m)·previous, m = 1 with probability 1-p (after training: (1-p)·x + p·previous)",
    cases = Zoneout::cases,
    bench = Zoneout::bench
)]
pub struct Zoneout {
    /// How x, previous and y are stored.
    pub dtype: DType,
    /// The shape; [`Space::flat`] where it does not matter.
    pub space: Space,
    /// The probability of keeping the previous value.
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
    /// Whether the network is in training; if not, y is the expectation over all masks.
    #[field(default = true)]
    pub training: bool,
}

impl Zoneout {
    /// Training, a decision per element of 16 bits, no stored mask.
    pub fn new(dtype: DType, space: Space, p: f64, key: Key) -> Self {
        Self::from_required(dtype, space, p, key)
    }

    /// Whether the op writes the mask.
    pub fn stores_mask(&self) -> bool {
        self.dropout().stores_mask()
    }

    /// The op with the same mask, which keeps new values.
    pub(super) fn dropout(&self) -> Dropout {
        let Self { dtype, space, p, key, share, bits, mask, training } = *self;
        Dropout { dtype, space, p, key, share, scaling: Scaling::Inverted, bits, mask, training }
    }

    /// The outcome of both kernels: a choice, or the mean.
    pub(super) fn rule<'a>(&self, keep: f64, rule: Rule<'a>) -> Rule<'a> {
        if self.training { rule } else { Rule { scalars: [keep, 0.0, 1.0 - keep], consts: &[("BLEND", 1)], ..rule } }
    }
}

impl Op for Zoneout {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let mut args = self.dropout().args();
        args.insert(1, Arg::read("previous", self.dtype, self.space.len()));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, (masked, _)) = (self.args(), self.dropout().masked(NAME)?);
        let [x, previous, y] = ["x", "previous", "y"].map(|name| args.at(name));
        let source = if self.training { MaskSource::Drawn(args.find_at("mask")) } else { MaskSource::All };
        let steps = if masked.keeps_none() || masked.keeps_all() {
            let from = if masked.keeps_none() { previous } else { x };
            masked.settled(caps, &[Settled::Copy(from, y)], source)?
        } else {
            let rule = self.rule(masked.keep(), Rule::new(kernel!("dropouts/zoneout"), NAME));
            masked.steps(caps, &rule, &[("x", x), ("previous", previous), ("y", y)], source)?
        };
        Ok(Lowered { steps, ..Default::default() })
    }
}

#[cfg(feature = "verify")]
impl Verify for Zoneout {
    fn patterns(&self) -> Vec<Pattern> {
        self.dropout().patterns()
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (of, dropout) = (Contents::new(self.args(), args), self.dropout());
        let (x, previous, keep, kept) = (of.f64("x"), of.f64("previous"), dropout.keep(), dropout.kept(None));
        let pairs = || x.iter().zip(&previous);
        let y = if keep == 0.0 || keep == 1.0 {
            Expected::Exact(of.get(if keep == 0.0 { "previous" } else { "x" }).clone())
        } else if self.training {
            // Nothing is computed; what is below the least normal number may be flushed on its way.
            let one = |((&x, &previous), &kept)| Approx::exact(reference::zoneout(x, previous, kept));
            passed(self.dtype, pairs().zip(&kept).map(one))
        } else {
            within(
                self.dtype,
                pairs().map(|(&x, &previous)| {
                    let parts = [(x, keep), (previous, 1.0 - keep)].map(|(v, by)| Approx::exact(v).times(Approx::host(by)));
                    Approx { value: reference::zoneout_mean(x, previous, keep), error: Approx::sum(parts).error }
                }),
            )
        };
        let mut out = vec![y];
        out.extend(self.stores_mask().then(|| packed(&kept)));
        out
    }
}

#[cfg(feature = "verify")]
/// Values that pass through a kernel: exact, but what is below the least normal number may be flushed.
pub(super) fn passed(dtype: DType, items: impl Iterator<Item = Approx>) -> Expected {
    let flushed = |v: f64| if v.abs() < dtype.least_normal() { v.abs() } else { 0.0 };
    let (value, bound) = items.map(|v| (v.value, flushed(v.value))).unzip();
    Expected::Within { value, bound }
}
