//! How an optimizer keeps its weights: alone or with an f32 master, rounded to nearest or at random, averaged or not.
use super::Optimizer;
#[cfg(feature = "verify")]
use crate::verify::{Approx, reference};
use crate::{
    kernels::philox::{self, Draw},
    op::Caps,
    options::{Key, Rounding},
    types::{DType, Error, Segment},
    wgsl::{Decl, Source, parts},
};

impl Optimizer<'_> {
    /// The f32 buffers that are updated beside the weight: the rule's own, then `master`, then `ema`.
    pub(super) fn kept(&self) -> impl Iterator<Item = &'static str> {
        self.state.iter().copied().chain(self.master.then_some("master")).chain(self.ema.map(|_| "ema"))
    }

    pub(super) fn check_weight(&self) -> Result<(), Error> {
        let bad = |arg, why: String| Err(Error::argument(self.name, arg, why));
        if let Some(average) = self.ema {
            average.check(self.name, "ema", "has decay")?;
        }
        if self.master && self.dtype == DType::F32 {
            return bad("master", "is true and dtype is f32: such weights need none, leave it out".into());
        }
        let Rounding::Stochastic(key) = self.rounding else { return Ok(()) };
        if self.master {
            return bad("rounding", "is stochastic and master is true: the master loses nothing, use nearest".into());
        }
        if self.dtype != DType::Bf16 {
            return bad("rounding", format!("is stochastic and dtype is {:?}, must be bf16", self.dtype));
        }
        let first = key.first_element;
        if !first.is_multiple_of(4) {
            return bad("rounding", format!("has first_element {first}, must be a multiple of 4, as the start of a tensor is"));
        }
        let len = Segment::arena_len(self.segments);
        if first.checked_add(len as u64).is_none() {
            return bad("rounding", format!("has first_element {first}: with {len} elements it passes 2^64"));
        }
        Ok(())
    }

    /// The shader parts that keep the weights.
    pub(super) fn weight_parts(&self, caps: &Caps) -> Vec<Source> {
        let mut parts = vec![if self.ema.is_some() { parts::weight_average::WEIGHT } else { parts::weight_average::NONE }];
        if self.master {
            parts.push(parts::optimizer::WEIGHT_MASTER);
            return parts;
        }
        if matches!(self.rounding, Rounding::Stochastic(_)) {
            parts.extend([philox::mul_wide(caps), parts::optimizer::STORED_RANDOM]);
        } else {
            // Only an average needs to know what the weight will be.
            parts.push(match (self.ema, self.dtype) {
                (Some(_), DType::F16) => parts::optimizer::STORED_F16,
                (Some(_), DType::Bf16) => parts::optimizer::STORED_BF16,
                _ => parts::optimizer::STORED_EXACT,
            });
        }
        parts.push(parts::optimizer::WEIGHT_ALONE);
        parts
    }

    /// What the roundings are drawn from, counted from the quad of the first element of the arena.
    pub(super) fn draw(&self) -> Draw {
        // Nothing is drawn otherwise.
        let key = if let Rounding::Stochastic(key) = self.rounding {
            key
        } else {
            Key { seed: 0, stream: 0, step: 0, first_element: 0 }
        };
        Draw::new(&key, key.first_element / 4)
    }

    /// A kernel that binds more than the device allows is refused with what may be left out.
    pub(super) fn check_buffers(&self, caps: &Caps, bindings: &[Decl]) -> Result<(), Error> {
        let (n, limit) = (bindings.len(), caps.limits.max_storage_buffers_per_shader_stage);
        if n <= limit as usize {
            return Ok(());
        }
        let names: Vec<&str> = bindings.iter().map(|b| b.name).collect();
        let optional = [
            ("ema", "ema (which the op `ema` keeps in a pass of its own)"),
            ("master", "master"),
            ("v_max", "amsgrad"),
            ("grad_avg", "centered"),
            ("momentum_buffer", "momentum"),
            ("scale", "gpu_scale"),
            ("flag", "gpu_step"),
        ];
        // Who skips steps has a flag anyway.
        let needed = |name: &str| name == "flag" && self.skips();
        let out: Vec<&str> =
            optional.iter().filter(|(name, _)| names.contains(name) && !needed(name)).map(|(_, what)| *what).collect();
        let out = if out.is_empty() { String::new() } else { format!("; leave out {}", out.join(" or ")) };
        let why = format!(
            "needs {n} storage buffers in a shader ({}), max_storage_buffers_per_shader_stage is {limit}{out}",
            names.join(", ")
        );
        Err(Error::unsupported(self.name, why))
    }

    /// Element i of the weights, when `w` is stored.
    #[cfg(feature = "verify")]
    pub(super) fn stored(&self, w: Approx, i: usize) -> Approx {
        let Rounding::Stochastic(key) = self.rounding else { return w.rounded_to(self.dtype) };
        // Rounding with given bits never exchanges two numbers, so what it makes of the kernel's f32 weight lies between what it
        // makes of the ends of that interval; conversion to f32 exchanges none of these either. Where both are the same,
        // the result is exact; next to a number at which the bits begin to carry they are neighbours.
        let round = |v: f64| reference::stochastic_bf16(v as f32, key.seed, key.stream, key.step, key.first_element + i as u64);
        let value = round(w.value);
        let error =
            if w.error.is_finite() { (round(w.value + w.error) - value).max(value - round(w.value - w.error)) } else { w.error };
        Approx { value, error }
    }
}
