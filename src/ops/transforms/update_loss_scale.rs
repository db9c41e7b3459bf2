//! The rule of dynamic loss scaling. Kernel: `shaders/transforms/update_loss_scale.wgsl`. Reference: `cpu::update_loss_scale`.
#[cfg(feature = "verify")]
use crate::kernels::gradients::{product, within};
use crate::{
    kernel,
    op::{Arg, Caps, Cost, Lowered, Op, Slot, Step},
    options::{check_derived, check_scalar},
    params,
    types::{DType, Error, HostData},
    wgsl::{Decl, Spec, View},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

params! { UpdateLossScaleParams {
    blocks: u32, growth: f32, backoff: f32, interval: u32, limit: f32, has_most: u32, most: f32, least: f32
} }

/// Dynamic loss scaling, `torch.amp.GradScaler.update` on the GPU without a read-back: after non-finite gradients, scale ·
/// `backoff_factor`; after `growth_interval` consecutive steps without any, scale · `growth_factor`.
///
/// Reads `found` (u32\[1\]: anything but 0 is an overflow; [`Unscale`](super::Unscale) writes it). Updates `scale` (f32\[1\])
/// and `growth_tracker` (u32\[1\], 0 before the first step: steps without overflow since the scale last changed). Growth
/// beyond the range of f32 is not applied, but resets the tracker, as in PyTorch. `min` and `max` bound what backing off and
/// growing make: jmp's and Flax's minimum, apex' both; a scale that starts outside the bounds stays there until it changes.
/// Flax's DynamicScale lets one step more pass before it grows: `growth_interval` + 1 gives its sequence, and `max` =
/// 3.4028234663852886e38 what it does at the end of the range. A tracker beyond the interval counts as at its end. A NaN
/// scale stays NaN.
///
/// Factors and bounds are rounded to f32. Whether the scale grows is decided exactly: the same on every device. Deterministic. One
/// dispatch of one invocation. No scratch.
///
/// Error: one product, one ulp; none for factors that are powers of two. Micikevicius et al., "Mixed precision training", 2018.
#[op(
    name = "update_loss_scale",
    summary = "dynamic loss scaling on the GPU: backs off after non-finite gradients, grows after enough steps without any",
    formula = "scale = max(backoff·scale, min) if found; after growth_interval steps without, min(growth·scale, max)"
)]
pub struct UpdateLossScale {
    /// What the scale is multiplied by when growing.
    #[field(default = 2.0, min = 1)]
    pub growth_factor: f64,
    /// What the scale is multiplied by when backing off.
    #[field(default = 0.5, min = 0, max = 1)]
    pub backoff_factor: f64,
    /// Steps without overflow before the scale grows.
    #[field(default = 2000, min = 1)]
    pub growth_interval: u32,
    /// The lower bound when backing off; none if left out.
    #[field(default, min = 0)]
    pub min: Option<f64>,
    /// The upper bound when growing, at least `min`; none if left out.
    #[field(default, min = 0)]
    pub max: Option<f64>,
}

impl Default for UpdateLossScale {
    /// PyTorch's GradScaler: twice after 2000 steps, half after an overflow.
    fn default() -> Self {
        Self::from_required()
    }
}

impl UpdateLossScale {
    fn check(&self) -> Result<(), Error> {
        check_scalar(NAME, "growth_factor", self.growth_factor, [1.0, f64::INFINITY])?;
        check_scalar(NAME, "backoff_factor", self.backoff_factor, [0.0, 1.0])?;
        if self.growth_interval == 0 {
            return Err(Error::argument(NAME, "growth_interval", "is 0, must be at least 1"));
        }
        for (field, v) in [("min", self.min), ("max", self.max)] {
            v.map_or(Ok(()), |v| check_scalar(NAME, field, v, [0.0, f64::INFINITY]))?;
        }
        match (self.min, self.max) {
            (Some(min), Some(max)) if min > max => {
                Err(Error::argument(NAME, "min", format!("is {min}, must be at most max, which is {max}")))
            }
            (_, Some(_)) => check_derived(NAME, "max", "max / growth_factor", self.limit().into()),
            _ => Ok(()),
        }
    }

    /// The rule with the scalars as the kernel has them.
    #[cfg(feature = "verify")]
    fn rule(&self) -> reference::LossScaling {
        reference::LossScaling {
            growth_factor: single(self.growth_factor),
            backoff_factor: single(self.backoff_factor),
            growth_interval: self.growth_interval,
            min: self.min.map(single),
            max: self.max.map(single),
        }
    }

    /// The greatest f32 whose product with the growth factor is within the bound, or else within f32. Products of two f32 are
    /// exact in f64.
    fn limit(&self) -> f32 {
        let (growth, most) = (single(self.growth_factor), self.max.map_or(f64::from(f32::MAX), single));
        let within = |scale: f32| f64::from(scale) * growth <= most;
        let mut limit = (most / growth) as f32;
        while !within(limit) {
            limit = limit.next_down();
        }
        while within(limit.next_up()) && limit.next_up().is_finite() {
            limit = limit.next_up();
        }
        limit
    }
}

/// A scalar as the kernel has it.
fn single(v: f64) -> f64 {
    f64::from(v as f32)
}

impl Op for UpdateLossScale {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let tracker = Arg::update("growth_tracker", DType::U32, 1);
        vec![Arg::read("found", DType::U32, 1), Arg::update("scale", DType::F32, 1), tracker]
    }

    fn lower(&self, _: &Caps) -> Result<Lowered, Error> {
        self.check()?;
        let decl = |name, dtype, view, writes| Decl { name, dtype, view, writes };
        let words = View::Raw("u32");
        let step = Step {
            spec: Spec {
                shader: kernel!("transforms/update_loss_scale"),
                entry: NAME,
                parts: vec![],
                bindings: vec![
                    decl("found", DType::U32, words, false),
                    decl("scale", DType::F32, View::Elements, true),
                    decl("growth_tracker", DType::U32, words, true),
                ],
                consts: vec![],
            },
            params: UpdateLossScaleParams {
                blocks: 1,
                growth: self.growth_factor as f32,
                backoff: self.backoff_factor as f32,
                interval: self.growth_interval,
                limit: self.limit(),
                has_most: self.max.is_some().into(),
                most: self.max.unwrap_or(0.0) as f32,
                least: self.min.map_or(f32::MIN, |min| min as f32),
            }
            .into(),
            slots: (0..3).map(|i| Slot::Arg(i, 0..4)).collect(),
            workgroups: 1,
            trips: 0,
        };
        Ok(Lowered { steps: vec![step], ..Lowered::default() })
    }

    fn cost(&self) -> Cost {
        Cost { bytes: 20, elements: 1 }
    }
}

#[cfg(feature = "verify")]
impl Verify for UpdateLossScale {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Constant, Pattern::Offset, Pattern::Tiny, Pattern::NonFinite]
    }

    /// An overflow in two of the patterns; trackers at, before and behind the interval's end; scales around both bounds.
    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        let overflow = matches!(pattern, Pattern::Ordinary | Pattern::Tiny);
        let last = self.growth_interval - 1;
        match arg.name {
            "found" => HostData::U32(vec![if overflow { rng.word().max(1) } else { 0 }]),
            "growth_tracker" => {
                let steps = match pattern {
                    Pattern::Constant => last,
                    Pattern::Offset => rng.word() % self.growth_interval,
                    Pattern::NonFinite => u32::MAX,
                    _ => rng.word(),
                };
                HostData::U32(vec![steps])
            }
            _ => {
                let bounds = [self.limit(), self.limit().next_up(), f32::MAX, 65536.0, self.min.unwrap_or(1.0) as f32 * 1.5];
                let odd = [f32::NAN, f32::INFINITY, 0.0, bounds[1]];
                let some = rng.word() as usize;
                vec![if pattern == Pattern::NonFinite { odd[some % 4] } else { bounds[some % 5] }].into()
            }
        }
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let first = |arg: &HostData| arg.words().map_or(0, |w| w[0]);
        let (found, tracker, scale) = (first(&args[0]) != 0, first(&args[2]), args[1].to_f64()[0]);
        let rule = self.rule();
        let (value, steps) = reference::update_loss_scale(&rule, scale, tracker, found);
        let factor = if found { rule.backoff_factor } else { rule.growth_factor };
        let moved = product(scale, Approx::exact(factor));
        // A bound or the scale itself is copied.
        let next = if value == moved.value { moved } else { Approx::exact(value) };
        vec![within([next]), Expected::Exact(HostData::U32(vec![steps]))]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let usual = UpdateLossScale::default;
    let all = [
        usual(),
        UpdateLossScale { growth_interval: 1, ..usual() },
        UpdateLossScale { growth_interval: u32::MAX, min: Some(1.0), ..usual() },
        UpdateLossScale { growth_interval: 3, min: Some(1.0), max: Some(16_777_216.0), ..usual() },
        UpdateLossScale {
            growth_interval: 2001,
            min: Some(f64::from(f32::MIN_POSITIVE)),
            max: Some(f64::from(f32::MAX)),
            ..usual()
        },
        UpdateLossScale { growth_factor: 1.1, backoff_factor: 0.7, growth_interval: 2, min: Some(1e4), max: Some(1e5) },
        UpdateLossScale { growth_factor: 1.0, backoff_factor: 1.0, growth_interval: 1, ..usual() },
        UpdateLossScale { growth_factor: 3.0, backoff_factor: 0.0, growth_interval: 7, ..usual() },
        UpdateLossScale { max: Some(0.0), min: Some(0.0), growth_interval: 1, ..usual() },
    ];
    // Each with several draws of the data, which the number of the case decides.
    (0..4).flat_map(|_| all.clone()).map(|op| Box::new(op) as Box<dyn Verify>).collect()
}

#[cfg(feature = "verify")]
/// However large the model: it works on one scale.
fn bench(_elements: usize) -> Vec<Box<dyn Verify>> {
    vec![Box::new(UpdateLossScale::default())]
}
