//! How a running average of weights follows them: the vocabulary of the ops `ema` and of the optimizers' field `ema`.
use crate::{
    Approx, Arg, Caps, Cost, DType, Error, Expected, HostData, Lowered, Segment, Slot, Step, cpu, params,
    segment::{Arena, check_float, poison_gaps},
    wgsl::{Decl, Source, Spec, View},
};
use serde::{Deserialize, Serialize};

params! { AverageParams {
    segments: u32, first: u32, blocks: u32, lo: u32, hi: u32, base: u32, end: u32, fresh: f32
} }

/// An exponential moving average: average = d·average + (1 - d)·w, where d is `decay` or, early on, less than it.
///
/// On the GPU the form is average + (1 - d)·(w - average), with 1 - d from the host in f64: a constant stays what it is, however
/// close to 1 d may be. With d = 0 (which all warm-ups begin with but TensorFlow's) what the average held before does not matter,
/// also where it is NaN; with d = 1 it stays.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Averaging {
    /// The share of the old average that remains, in 0..=1, when the warm-up is over.
    pub decay: f64,
    /// What keeps the share smaller before.
    #[serde(default)]
    pub warmup: Warmup,
}

/// How an average begins. `updates` is the number of updates that it has had before this one, t. Frameworks differ, so each
/// has a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Warmup {
    /// d = decay from the first update on: the caller fills the average with the weights before (PyTorch's `get_ema_avg_fn`,
    /// whose AveragedModel begins with a copy; Keras).
    #[default]
    None,
    /// d = min(decay, (1 + t)/(10 + t)) (TensorFlow's ExponentialMovingAverage with `num_updates`).
    TensorFlow {
        /// t.
        updates: u64,
    },
    /// d = min(decay, t/(t + 1)): the equal average of all weights so far, until decay is reached. With decay = 1 that never
    /// happens: Polyak averaging.
    Polyak {
        /// t.
        updates: u64,
    },
    /// d = decay·(1 - decay^t)/(1 - decay^(t+1)): what begins with zeros and is divided by 1 - decay^t (optax with `debias`),
    /// without the division.
    Debiased {
        /// t.
        updates: u64,
    },
}

impl Averaging {
    /// The same decay from the first update on.
    pub fn constant(decay: f64) -> Self {
        Self { decay, warmup: Warmup::None }
    }

    /// The equal average of all weights, `updates` of which it holds.
    pub fn polyak(updates: u64) -> Self {
        Self { decay: 1.0, warmup: Warmup::Polyak { updates } }
    }

    /// Checks the decay; `field` is what it is a part of, `prefix` comes before its value in the text.
    pub(crate) fn check(&self, op: &'static str, field: &'static str, prefix: &str) -> Result<(), Error> {
        if (0.0..=1.0).contains(&self.decay) {
            return Ok(());
        }
        let why = format!("{prefix} {}, must be in 0..=1: the share of the old average that remains", self.decay);
        Err(Error::argument(op, field, why))
    }

    /// 1 - d, without the cancellation.
    pub(crate) fn fresh(&self) -> f64 {
        let fresh = 1.0 - self.decay;
        match self.warmup {
            Warmup::None => fresh,
            Warmup::TensorFlow { updates } => fresh.max(9.0 / (10.0 + updates as f64)),
            Warmup::Polyak { updates } => fresh.max(1.0 / (1.0 + updates as f64)),
            // Exactly: what was there before must not matter.
            Warmup::Debiased { updates: 0 } => 1.0,
            Warmup::Debiased { updates } if fresh == 0.0 => 1.0 / (1.0 + updates as f64),
            Warmup::Debiased { updates } => fresh / -((1.0 + updates as f64) * self.decay.ln()).exp_m1(),
        }
    }

    /// The new average of one weight, and how far the kernel's may be from it.
    pub(crate) fn reference(&self, old: f64, w: Approx) -> Approx {
        let share = match self.warmup {
            Warmup::None => 1.0 - self.decay,
            Warmup::TensorFlow { updates } => cpu::tensorflow_share(self.decay, updates),
            Warmup::Polyak { updates } => cpu::polyak_share(self.decay, updates),
            Warmup::Debiased { updates } => cpu::debiased_share(self.decay, updates),
        };
        Self::moved(self.fresh(), cpu::ema(share, old, w.value), old, w)
    }

    /// The kernel's arithmetic for `value`, which is old + `fresh`·(w - old).
    pub(crate) fn moved(fresh: f64, value: f64, old: f64, w: Approx) -> Approx {
        // Copies, on the GPU too, which compares the f32.
        if fresh as f32 == 1.0 {
            return w;
        }
        let old = Approx::exact(old);
        if fresh as f32 == 0.0 {
            return old;
        }
        Approx { value, ..Approx::sum([old, Approx::sum([w, old.negative()]).scaled(fresh)]) }
    }
}

/// An op that lets `average` follow `weight`, over the tensors of an arena, whatever their groups.
pub(crate) struct Follower<'a> {
    pub name: &'static str,
    pub dtype: DType,
    pub segments: &'a [Segment],
    pub fresh: f64,
}

impl Follower<'_> {
    pub fn args(&self) -> Vec<Arg> {
        let len = Segment::arena_len(self.segments);
        vec![Arg::read("weight", self.dtype, len), Arg::update("average", DType::F32, len)]
    }

    pub fn lower(&self, caps: &Caps, shader: Source) -> Result<Lowered, Error> {
        let args = self.args();
        check_float(self.name, &args[0])?;
        let arena = Arena::new(self.name, self.segments, usize::MAX, caps)?;
        let mut out = Lowered::default();
        if arena.blocks == 0 {
            return Ok(out);
        }
        let table = out.table(&arena.table([]), caps);
        for piece in arena.pieces(self.name, caps, 4)? {
            let decl = |name, dtype, writes| Decl { name, dtype, view: piece.view(), writes };
            let blocks = piece.blocks.end - piece.blocks.start;
            out.steps.push(Step {
                spec: Spec {
                    shader,
                    entry: self.name,
                    parts: vec![],
                    bindings: vec![
                        decl("weight", self.dtype, false),
                        decl("average", DType::F32, true),
                        Decl { name: "table", dtype: DType::U32, view: View::Raw("vec4<u32>"), writes: false },
                    ],
                    consts: vec![("WG", caps.lanes), ("QUADS", caps.quads)],
                },
                params: AverageParams {
                    segments: arena.rows.len() as u32,
                    first: piece.blocks.start as u32,
                    blocks: blocks as u32,
                    lo: piece.quads.start as u32,
                    hi: piece.quads.end as u32,
                    base: piece.base(),
                    end: piece.end(),
                    fresh: self.fresh as f32,
                }
                .into(),
                slots: vec![piece.slot(0, &args[0]), piece.slot(1, &args[1]), Slot::Table(table.clone())],
                workgroups: blocks,
                trips: u64::from(caps.quads) + 32,
            });
        }
        Ok(out)
    }

    /// `each` gives the new average of an element from the old one and the weight.
    pub fn reference(&self, args: &[HostData], each: impl Fn(f64, f64) -> Approx) -> Vec<Expected> {
        let (w, mut value) = (args[0].to_f64(), args[1].to_f64());
        let mut bound = vec![0.0; value.len()];
        for i in self.segments.iter().flat_map(|s| s.start..s.start + s.len) {
            let got = each(value[i], w[i]);
            (value[i], bound[i]) = (got.value, if got.value.is_finite() { got.error } else { 0.0 });
        }
        vec![Expected::Within { value, bound }]
    }

    /// NaN between the tensors' weights; a first average that does not matter is NaN, and none is infinite, since infinity less
    /// infinity is not what the formula says in every form.
    pub fn fill(&self, arg: &Arg, data: HostData) -> HostData {
        if arg.name == "weight" {
            return poison_gaps(self.segments, data);
        }
        let finite = |x: f64| if x.is_infinite() || self.fresh as f32 == 1.0 { f64::NAN } else { x };
        HostData::from_f64(arg.dtype, data.to_f64().into_iter().map(finite))
    }

    /// Each live element once, of the average twice.
    pub fn cost(&self) -> Cost {
        let live = self.segments.iter().map(|s| s.len as u64).sum::<u64>();
        Cost { bytes: live * (self.dtype.size() + 8), elements: live }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1 - d as the host has it, and the reference.
    #[test]
    fn the_share_of_the_newest_is_that_of_the_formulas() {
        for decay in [0.0f64, 0.3, 0.9, 0.999, 0.9999999, 1.0] {
            for updates in [0, 1, 2, 9, 1000, 1 << 40, u64::MAX] {
                for (warmup, want) in [
                    (Warmup::None, 1.0 - decay),
                    (Warmup::TensorFlow { updates }, 1.0 - decay.min((1.0 + updates as f64) / (10.0 + updates as f64))),
                    (Warmup::Polyak { updates }, 1.0 - decay.min(updates as f64 / (1.0 + updates as f64))),
                    (Warmup::Debiased { updates }, cpu::debiased_share(decay, updates)),
                ] {
                    let fresh = Averaging { decay, warmup }.fresh();
                    assert!((0.0..=1.0).contains(&fresh), "{decay}, {warmup:?}: {fresh}");
                    // Powers cancel where decay is near 1: by 2^-53 of 1, over what is left.
                    assert!((fresh - want).abs() <= 1e-9, "{decay}, {warmup:?}: {fresh} and {want}");
                    assert!(updates > 0 || warmup == Warmup::None || warmup == Warmup::TensorFlow { updates } || fresh == 1.0);
                }
            }
        }
    }
}
