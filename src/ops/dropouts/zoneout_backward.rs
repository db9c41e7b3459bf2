//! Zoneout, backward. Kernel: `shaders/dropouts/zoneout_backward.wgsl`. Reference: `cpu::zoneout_backward`.
use super::Zoneout;
#[cfg(feature = "verify")]
use super::{shared::expected::within, zoneout::passed};
use crate::{
    kernel,
    op::{Arg, ByName, Caps, Lowered, Op},
    ops::dropouts::shared::masked_map::{MaskSource, Rule, Settled},
    types::Error,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Verify},
    types::HostData,
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
    /// The forward op.
    #[field(flatten)]
    pub forward: Zoneout,
}

impl Zoneout {
    /// The backward pass of this.
    pub fn backward(&self) -> ZoneoutBackward {
        ZoneoutBackward { forward: self.clone() }
    }
}

impl Op for ZoneoutBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let mut args = self.forward.dropout().backward_args();
        args.push(Arg::write("dprevious", self.forward.dtype, self.forward.space.len()));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, forward) = (self.args(), &self.forward);
        let (masked, _) = forward.dropout().masked(NAME)?;
        let [dy, dx, dprevious] = ["dy", "dx", "dprevious"].map(|name| args.at(name));
        let source = match (self.forward.training, args.find_at("mask")) {
            (false, _) => MaskSource::All,
            (true, Some(mask)) => MaskSource::Stored(mask),
            (true, None) => MaskSource::Drawn(None),
        };
        let steps = if masked.keeps_none() || masked.keeps_all() {
            let (to, other) = if masked.keeps_none() { (dprevious, dx) } else { (dx, dprevious) };
            masked.settled(caps, &[Settled::Copy(dy, to), Settled::Zeros(other)], source)?
        } else {
            let rule = forward.rule(masked.keep(), Rule::new(kernel!("dropouts/zoneout_backward"), NAME));
            masked.steps(caps, &rule, &[("dy", dy), ("dx", dx), ("dprevious", dprevious)], source)?
        };
        Ok(Lowered { steps, ..Default::default() })
    }
}

#[cfg(feature = "verify")]
impl Verify for ZoneoutBackward {
    fn patterns(&self) -> Vec<Pattern> {
        self.forward.patterns()
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (of, dropout) = (Contents::new(self.args(), args), self.forward.dropout());
        let (dy, keep) = (of.f64("dy"), dropout.keep());
        if keep == 0.0 || keep == 1.0 {
            let zeros = Expected::Exact(HostData::from_f64(dropout.dtype, vec![0.0; dy.len()]));
            let mut out = vec![Expected::Exact(of.get("dy").clone()), zeros];
            out.rotate_left(usize::from(keep == 0.0));
            return out;
        }
        if !dropout.training {
            let one = |which: usize| {
                let by = Approx::host([keep, 1.0 - keep][which]);
                dy.iter().map(move |&dy| Approx {
                    value: reference::zoneout_mean_backward(dy, keep)[which],
                    error: Approx::exact(dy).times(by).error,
                })
            };
            return vec![within(dropout.dtype, one(0)), within(dropout.dtype, one(1))];
        }
        let kept = dropout.kept(of.find("mask"));
        let one = |which: usize| {
            dy.iter().zip(&kept).map(move |(&dy, &kept)| Approx::exact(reference::zoneout_backward(dy, kept)[which]))
        };
        vec![passed(dropout.dtype, one(0)), passed(dropout.dtype, one(1))]
    }
}
