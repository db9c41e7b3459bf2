//! Zoneout, forward. Kernel: `shaders/dropouts/zoneout.wgsl`. Reference: `cpu::zoneout`.
#[cfg(feature = "verify")]
use super::shared::expected::{kept, packed, within};
use crate::{
    kernel,
    op::{Arg, Caps, Lowered, Op},
    ops::dropouts::shared::masked_map::{MaskSource, Masked, Rule, Settled},
    options::{Bits, Key, MaskMode, Share},
    types::{DType, Error, HostData, Space},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Pattern, Verify},
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
        self.mask == MaskMode::Store && self.training
    }

    pub(super) fn masked(&self, op: &'static str) -> Masked {
        let Self { dtype, space, p, key, share, bits, .. } = *self;
        Masked { op, dtype, space, p, key, share, bits }
    }

    /// The outcome of both kernels: a choice, or the mean.
    pub(super) fn rule<'a>(&self, rule: Rule<'a>) -> Rule<'a> {
        let keep = self.masked(NAME).keep();
        if self.training { rule } else { Rule { scalars: [keep, 0.0, 1.0 - keep], consts: &[("BLEND", 1)], ..rule } }
    }

    /// The probability of the new value, for the reference.
    #[cfg(feature = "verify")]
    pub(super) fn keep(&self) -> f64 {
        reference::keep(self.p, if self.bits == Bits::Sixteen { 16 } else { 32 })
    }
}

impl Op for Zoneout {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = self.space.len();
        let mut args = ["x", "previous"].map(|name| Arg::read(name, self.dtype, len)).to_vec();
        args.push(Arg::write("y", self.dtype, len));
        args.extend(self.stores_mask().then(|| Arg::write("mask", DType::U32, len.div_ceil(32))));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, masked) = (self.args(), self.masked(NAME));
        masked.check()?;
        let ([x, previous, y], t) = ([0, 1, 2].map(|i| (i, &args[i])), masked.threshold());
        let source = if self.training { MaskSource::Drawn(args.get(3).map(|a| (3, a))) } else { MaskSource::All };
        let steps = if t == 0 || t == self.bits.range() {
            let from = if t == 0 { previous } else { x };
            masked.settled(caps, &[Settled::Copy(from, y)], t > 0, source)?
        } else {
            let rule = self.rule(Rule::new(kernel!("dropouts/zoneout"), NAME));
            masked.steps(caps, &rule, &[("x", x), ("previous", previous), ("y", y)], 2, source)?
        };
        Ok(Lowered { steps, ..Default::default() })
    }
}

#[cfg(feature = "verify")]
impl Verify for Zoneout {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Tiny, Pattern::NonFinite]
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (x, previous, keep) = (args[0].to_f64(), args[1].to_f64(), self.keep());
        let kept = kept(&self.space, self.p, &self.key, self.share, self.bits);
        let pairs = || x.iter().zip(&previous);
        let y = if keep == 0.0 || keep == 1.0 {
            Expected::Exact(args[usize::from(keep == 0.0)].clone())
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

/// Values that pass through a kernel: exact, but what is below the least normal number may be flushed.
#[cfg(feature = "verify")]
pub(super) fn passed(dtype: DType, items: impl Iterator<Item = Approx>) -> Expected {
    let flushed = |v: f64| if v.abs() < dtype.least_normal() { v.abs() } else { 0.0 };
    let (value, bound) = items.map(|v| (v.value, flushed(v.value))).unzip();
    Expected::Within { value, bound }
}
