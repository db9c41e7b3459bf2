//! Every tensor of an arena by its own norm: one partial per block, whose tensor is a run of blocks; levels that merge each run by
//! itself, until a workgroup per tensor is enough, which also finds the factor; then the map.
use super::{Clip, Gradients, Pass};
#[cfg(feature = "verify")]
use super::{norm::norm_of, within};
use crate::{
    kernels::{
        arena::{Arena, ArenaWindow},
        reduce::{self, Partials},
    },
    op::{Arg, Caps, Lowered, Slot, Step},
    options::NonFiniteNorm,
    params,
    types::{DType, Error, HostData, Segment},
    wgsl::{Decl, Source, Spec, View, parts},
};
#[cfg(feature = "verify")]
use crate::{
    op::Expected,
    verify::{Approx, reference},
};

params! { TensorLevelParams { workgroups: u32, tensors: u32, fan: u32, stride: u32, max_norm: f32, eps: f32, policy: u32 } }
params! { ByTensorParams { window: ArenaWindow, zeroes: u32 } }

impl Gradients<'_> {
    /// Norm and factor of each tensor.
    pub fn tensor_norm_args(&self) -> [Arg; 2] {
        ["norm", "scale"].map(|name| Arg::write(name, DType::F32, self.segments.len()))
    }

    /// The dispatches of an op whose arguments are the updated arena, then [`tensor_norm_args`](Self::tensor_norm_args). `kernel`
    /// is a `lib/gradients/by_tensor`, and its entry point has the op's name.
    ///
    /// # Errors
    /// As [`Gradients::arena`], and if a binding of this device cannot hold the partials.
    pub fn clip_tensors(&self, caps: &Caps, clip: &Clip, kernel: Source) -> Result<Lowered, Error> {
        let mut out = Lowered::default();
        // The map finds its tensor's factor by the group.
        let numbered: Vec<Segment> = self.segments.iter().enumerate().map(|(group, s)| Segment { group, ..*s }).collect();
        let all = Gradients { segments: &numbered, ..*self };
        let arena = all.arena(caps)?;
        if numbered.is_empty() {
            return Ok(out);
        }
        let table = out.table(&arena.table([]), caps);
        let partials = all.square_partials(caps, &mut out, (&arena, &table), 0)?;
        tensor_levels(caps, &mut out, &numbered, &arena, partials, clip);
        let scale = Decl { name: "scale", dtype: DType::F32, view: View::Elements, writes: false };
        let pass = Pass {
            shader: kernel,
            entry: self.name,
            parts: vec![],
            writes: true,
            extra: vec![(scale, Slot::Arg(2, 0..4 * numbered.len() as u64))],
            trips: 0,
        };
        all.pass(caps, &mut out, (&arena, &table), 0, &pass, |window, _| {
            ByTensorParams { window, zeroes: clip.zeroes().into() }.into()
        })?;
        Ok(out)
    }

    /// What the three arguments must hold. `clipped` makes a tensor what it becomes if its norm is finite.
    #[cfg(feature = "verify")]
    pub fn clipped_tensors(&self, data: &HostData, clip: &Clip, clipped: impl Fn(&[f64]) -> Vec<f64>) -> Vec<Expected> {
        let (before, mut after) = (data.to_f64(), data.to_f64());
        let (mut norms, mut scales, mut scale_of) = (vec![], vec![], vec![Approx::exact(1.0); before.len()]);
        for s in self.segments {
            let place = s.start..s.start + s.len;
            let norm = norm_of(&before[place.clone()], s.len.div_ceil(1024) + 1);
            let scale = clip.factor(norm);
            after[place.clone()].copy_from_slice(&match (norm.value.is_finite(), clip.non_finite) {
                (true, _) => clipped(&before[place.clone()]),
                (false, NonFiniteNorm::Zero) => vec![0.0; s.len],
                (false, NonFiniteNorm::Keep) => before[place.clone()].to_vec(),
                (false, NonFiniteNorm::Propagate) => {
                    before[place.clone()].iter().map(|g| reference::clip_by_global_norm(scale.value, false, *g)).collect()
                }
            });
            scale_of[place].fill(scale);
            norms.push(norm);
            scales.push(scale);
        }
        let clipped = self.mapped(data, |i, g| {
            let (value, scale) = (after[i], scale_of[i]);
            let exact = scale == Approx::exact(1.0) || !value.is_finite() || clip.zeroes() && scale == Approx::exact(0.0);
            if exact { Approx::exact(value) } else { Approx { value, ..scale.times(Approx::exact(g)) } }
        });
        vec![clipped, within(norms), within(scales)]
    }
}

/// Levels that merge the partials of each tensor into its norm, argument 1, and its factor, argument 2.
fn tensor_levels(caps: &Caps, out: &mut Lowered, segments: &[Segment], arena: &Arena, partials: Partials, clip: &Clip) {
    let fan = reduce::fan(caps);
    // The first partial of each tensor and how many it has. Blocks come tensor after tensor, and a last quad that is not whole
    // and has a partial of its own belongs to the last one.
    let mut blocks = arena.rows.iter().map(|row| u64::from(row[0]));
    let mut next = blocks.next().unwrap_or(partials.count);
    let mut runs: Vec<[u64; 2]> = Vec::with_capacity(segments.len());
    for s in segments {
        let first = next;
        if s.len > 0 {
            next = blocks.next().unwrap_or(partials.count);
        }
        runs.push([first, next - first]);
    }
    let mut stride = 1;
    loop {
        let last = runs.iter().all(|[_, count]| *count <= fan);
        // In the end each tensor has a workgroup, also one without partials.
        let groups = |count: u64| if last { 1 } else { count.div_ceil(fan) };
        let (mut workgroups, mut rows) = (0, Vec::with_capacity(16 * runs.len()));
        for [first, count] in &runs {
            let row = [workgroups as u32, *first as u32, *count as u32, 0];
            rows.extend(row.into_iter().flat_map(u32::to_le_bytes));
            workgroups += groups(*count);
        }
        let tensors = Decl { name: "tensors", dtype: DType::U32, view: View::Raw("vec4<u32>"), writes: false };
        let table = out.table(&rows, caps);
        let mut bindings = vec![partials.monoid.decl("partials", !last), tensors];
        let mut slots = vec![partials.slot(), Slot::Table(table)];
        if last {
            let result = |name| Decl { name, dtype: DType::F32, view: View::Elements, writes: true };
            bindings.extend([result("norm"), result("scale")]);
            slots.extend([1, 2].map(|arg| Slot::Arg(arg, 0..4 * segments.len() as u64)));
        }
        out.steps.push(Step {
            spec: Spec {
                shader: parts::gradients::TENSOR_LEVEL,
                entry: "tensor_level",
                parts: vec![
                    partials.monoid.part,
                    if last { parts::gradients::TENSOR_NORM } else { parts::gradients::TENSOR_KEEP },
                ],
                bindings,
                consts: vec![("WG", caps.lanes)],
            },
            params: TensorLevelParams {
                workgroups: workgroups as u32,
                tensors: segments.len() as u32,
                fan: fan as u32,
                stride: stride as u32,
                max_norm: clip.max_norm as f32,
                eps: clip.form.eps() as f32,
                policy: clip.policy(),
            }
            .into(),
            slots,
            workgroups,
            trips: fan / u64::from(caps.lanes) + u64::from(caps.lanes.ilog2()) + 32,
        });
        if last {
            return;
        }
        stride *= fan;
        runs.iter_mut().for_each(|[_, count]| *count = groups(*count));
    }
}
