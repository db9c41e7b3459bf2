//! Zoneout, backward. Kernel: `shaders/dropouts/zoneout_backward.wgsl`. Reference: `cpu::zoneout_backward`.
use super::Zoneout;
#[cfg(feature = "verify")]
use super::shared::expected::{kept, unpacked, within};
#[cfg(feature = "verify")]
use super::zoneout::passed;
use crate::{
    kernel,
    op::{Arg, Caps, Lowered, Op},
    ops::dropouts::shared::masked_map::{MaskSource, Rule, Settled},
    options::{Bits, Key, MaskMode, Share},
    types::{DType, Error, HostData, Space},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Pattern, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

/// The backward pass of [`Zoneout`]: dx = m·dy and dprevious = (1-m)·dy, with the mask m of the forward pass; after training
/// dx = (1-p)·dy and dprevious = p·dy.
///
/// Reads `dy`, and `mask` if it was stored in training; writes `dx` and `dprevious`. Fields as in the forward pass. Where p
/// is 0 or 1, one of them is dy, bit for bit, the other zeros, and `mask` is not read. A gradient that is masked is +0, even
/// where dy is NaN. No scratch. Deterministic.
///
/// Error: none in training; after it a factor, rounded to f32, a product, and the rounding of the storage type.
#[op(
    name = "zoneout_backward",
    summary = "backward pass of zoneout, to the new and the previous state, with a regenerated or a stored mask",
    formula = "dx = m·dy, dprevious = (1-m)·dy (after training: (1-p)·dy and p·dy)",
    cases = ZoneoutBackward::cases,
    bench = ZoneoutBackward::bench
)]
pub struct ZoneoutBackward {
    /// How dy, dx and dprevious are stored.
    pub dtype: DType,
    /// The shape.
    pub space: Space,
    /// The probability of keeping the previous value.
    #[field(min = 0, max = 1)]
    pub p: f64,
    /// What the mask was drawn from.
    pub key: Key,
    /// Which elements share a decision.
    #[field(default)]
    pub share: Share,
    /// Random bits per decision.
    #[field(default)]
    pub bits: Bits,
    /// Whether the forward pass stored the mask.
    #[field(default)]
    pub mask: MaskMode,
    /// Whether the forward pass drew a mask; if not, y was the expectation over all masks.
    #[field(default = true)]
    pub training: bool,
}

impl Zoneout {
    /// The backward pass of this.
    pub fn backward(&self) -> ZoneoutBackward {
        let Self { dtype, space, p, key, share, bits, mask, training } = *self;
        ZoneoutBackward { dtype, space, p, key, share, bits, mask, training }
    }
}

impl ZoneoutBackward {
    fn forward(&self) -> Zoneout {
        let Self { dtype, space, p, key, share, bits, mask, training } = *self;
        Zoneout { dtype, space, p, key, share, bits, mask, training }
    }
}

impl Op for ZoneoutBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = self.space.len();
        let mut args = vec![Arg::read("dy", self.dtype, len)];
        args.extend(self.forward().stores_mask().then(|| Arg::read("mask", DType::U32, len.div_ceil(32))));
        args.extend(["dx", "dprevious"].map(|name| Arg::write(name, self.dtype, len)));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, forward) = (self.args(), self.forward());
        let masked = forward.masked(NAME);
        masked.check()?;
        let (last, t) = (args.len() - 1, masked.threshold());
        let [dy, dx, dprevious] = [0, last - 1, last].map(|i| (i, &args[i]));
        let source = match self.training {
            true if forward.stores_mask() => MaskSource::Stored((1, &args[1])),
            true => MaskSource::Drawn(None),
            false => MaskSource::All,
        };
        let steps = if t == 0 || t == self.bits.range() {
            let (to, other) = if t == 0 { (dprevious, dx) } else { (dx, dprevious) };
            masked.settled(caps, &[Settled::Copy(dy, to), Settled::Zeros(other)], t > 0, source)?
        } else {
            let rule = forward.rule(Rule::new(kernel!("dropouts/zoneout_backward"), NAME));
            masked.steps(caps, &rule, &[("dy", dy), ("dx", dx), ("dprevious", dprevious)], 1, source)?
        };
        Ok(Lowered { steps, ..Default::default() })
    }
}

#[cfg(feature = "verify")]
impl Verify for ZoneoutBackward {
    fn patterns(&self) -> Vec<Pattern> {
        self.forward().patterns()
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (dy, keep, len) = (args[0].to_f64(), self.forward().keep(), self.space.len());
        if keep == 0.0 || keep == 1.0 {
            let zeros = Expected::Exact(HostData::from_f64(self.dtype, vec![0.0; len]));
            let mut out = vec![Expected::Exact(args[0].clone()), zeros];
            out.rotate_left(usize::from(keep == 0.0));
            return out;
        }
        if !self.training {
            let one = |which: usize| {
                let by = Approx::host([keep, 1.0 - keep][which]);
                dy.iter().map(move |&dy| Approx {
                    value: reference::zoneout_mean_backward(dy, keep)[which],
                    error: Approx::exact(dy).times(by).error,
                })
            };
            return vec![within(self.dtype, one(0)), within(self.dtype, one(1))];
        }
        let kept = match self.mask {
            MaskMode::Recompute => kept(&self.space, self.p, &self.key, self.share, self.bits),
            MaskMode::Store => unpacked(&args[1], len),
        };
        let one = |which: usize| {
            dy.iter().zip(&kept).map(move |(&dy, &kept)| Approx::exact(reference::zoneout_backward(dy, kept)[which]))
        };
        vec![passed(self.dtype, one(0)), passed(self.dtype, one(1))]
    }
}
