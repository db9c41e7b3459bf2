//! The kernel by which an average follows weights, over an arena.
use crate::{
    kernels::arena::{Arena, ArenaWindow, poison_gaps},
    op::{Arg, Caps, Cost, Lowered, Slot, Step, check_float},
    options::{Averaging, Warmup},
    params,
    types::{DType, Error, HostData, Segment},
    wgsl::{Decl, Source, Spec, View},
};
#[cfg(feature = "verify")]
use crate::{
    op::Expected,
    verify::{Approx, reference},
};

params! { AverageParams { window: ArenaWindow, fresh: f32 } }

impl Averaging {
    /// The new average of one weight, and how far the kernel's may be from it.
    #[cfg(feature = "verify")]
    pub(crate) fn reference(&self, old: f64, w: Approx) -> Approx {
        let share = match self.warmup {
            Warmup::None => 1.0 - self.decay,
            Warmup::TensorFlow { updates } => reference::tensorflow_share(self.decay, updates),
            Warmup::Polyak { updates } => reference::polyak_share(self.decay, updates),
            Warmup::Debiased { updates } => reference::debiased_share(self.decay, updates),
        };
        Self::moved(self.fresh(), reference::ema(share, old, w.value), old, w)
    }

    /// The kernel's arithmetic for `value`, which is old + `fresh`·(w - old).
    #[cfg(feature = "verify")]
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
                params: AverageParams { window: arena.window(&piece), fresh: self.fresh as f32 }.into(),
                slots: vec![piece.slot(0, &args[0]), piece.slot(1, &args[1]), Slot::Table(table.clone())],
                workgroups: piece.workgroups(),
                trips: u64::from(caps.quads) + 32,
            });
        }
        Ok(out)
    }

    /// `each` gives the new average of an element from the old one and the weight.
    #[cfg(feature = "verify")]
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
