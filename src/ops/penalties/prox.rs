//! The proximal step of a penalty. Kernel: `shaders/penalties/prox.wgsl`, then `lib/reduce/level`. Reference: `cpu::prox`.
use crate::{
    kernel,
    kernels::{
        arena::{Arena, ArenaWindow},
        reduce::{Monoid, Partials},
    },
    op::{Arg, Caps, Lowered, Op, Slot, Step, check_float},
    options::{ElasticNet, check_derived, check_held},
    params,
    types::{DType, Error, HostData, Segment},
    wgsl::{Decl, Spec, View},
};
#[cfg(feature = "verify")]
use crate::{
    kernels::arena::arena_cases,
    op::{Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

params! { ProxParams { window: ArenaWindow, partial: u32 } }

/// The proximal step of an L1, L2 or elastic-net penalty, on every tensor of an arena, each with its own group's λ: w ←
/// sign(w)·max(|w| - step·λ1, 0) / (1 + step·slope), slope being 2·λ2, or λ2 in the half form.
///
/// Updates `weight` (the arena's elements) in place and writes `zeros`, u32\[1\]: how many weights, in all tensors together,
/// the threshold set to +0: those with |w| ≤ step·λ1 before the step. With λ1 = 0 these are the weights that were already 0.
/// The count is exact on every device, modulo 2^32. A weight that survives the threshold and only then is too small for its
/// storage type is stored as 0 and not counted; the next step counts it. NaN stays NaN and infinities stay infinite, neither
/// is counted. The threshold and the divisor are computed in f64 and rounded to f32 once. Deterministic, the same however the
/// arena is windowed.
///
/// Error: 3.5 ulp of f32, and the rounding of the storage type; a group without penalty leaves its weights unchanged, except
/// that -0 becomes +0. Source: Parikh and Boyd, "Proximal Algorithms", 2014, section 6.5.
#[op(
    name = "prox",
    summary = "proximal step of an L1, L2 or elastic-net penalty, over one tensor or an arena; makes exact zeros and counts them",
    formula = "w = sign(w)·max(|w| - t·λ1, 0) / (1 + 2·t·λ2)"
)]
pub struct Prox {
    /// How weights are stored.
    pub dtype: DType,
    /// The tensors of the arena, in ascending order.
    pub segments: Vec<Segment>,
    /// The penalty of each parameter group.
    pub groups: Vec<ElasticNet>,
    /// The step size t: the learning rate, in proximal gradient descent.
    #[field(min = 0)]
    pub step: f64,
}

impl Prox {
    /// A group's threshold and divisor, as the GPU gets them.
    fn scalars(&self, group: &ElasticNet) -> [f32; 2] {
        [(self.step * group.l1) as f32, (1.0 + self.step * group.slope()) as f32]
    }

    fn check(&self) -> Result<(), Error> {
        if !(self.step.is_finite() && self.step >= 0.0) {
            return Err(Error::argument(NAME, "step", format!("is {}, must be finite and at least 0", self.step)));
        }
        for (i, group) in self.groups.iter().enumerate() {
            group.check(NAME, "groups", i)?;
            if self.scalars(group).iter().any(|s| !s.is_finite()) {
                let why =
                    format!("is {:e}, and its product with l1 or l2 of groups[{i}] is past the range of f32 (3.4e38)", self.step);
                return Err(Error::argument(NAME, "step", why));
            }
            check_derived(NAME, "step", &format!("step · l1 of groups[{i}]"), self.step * group.l1)?;
            check_derived(NAME, "step", &format!("step · the slope of groups[{i}]"), self.step * group.slope())?;
        }
        check_held(NAME, "step", "is", self.step)
    }
}

impl Op for Prox {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = Segment::arena_len(&self.segments);
        vec![Arg::update("weight", self.dtype, len), Arg::write("zeros", DType::U32, 1)]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let caps = &caps.summing();
        let args = self.args();
        check_float(NAME, &args[0])?;
        self.check()?;
        let arena = Arena::new(NAME, &self.segments, self.groups.len(), caps)?;
        let mut out = Lowered::default();
        let rows = self.groups.iter().map(|g| {
            let [threshold, divisor] = self.scalars(g);
            [threshold, divisor, 0.0, 0.0]
        });
        let table = out.table(&arena.table(rows), caps);
        let pieces = arena.pieces(NAME, caps, self.dtype.size())?;
        let (partials, first) = Partials::of_pieces(NAME, &mut out, caps, Monoid::COUNT, &pieces)?;
        for (piece, partial) in pieces.iter().zip(first) {
            out.steps.push(Step {
                spec: Spec {
                    shader: kernel!("penalties/prox"),
                    entry: "prox",
                    parts: vec![],
                    bindings: vec![
                        Decl { name: "weight", dtype: self.dtype, view: piece.view(), writes: true },
                        Decl { name: "table", dtype: DType::U32, view: View::Raw("vec4<u32>"), writes: false },
                        Monoid::COUNT.decl("partials", true),
                    ],
                    consts: vec![("WG", caps.lanes), ("QUADS", caps.quads)],
                },
                params: ProxParams { window: arena.window(piece), partial }.into(),
                slots: vec![piece.slot(0, &args[0]), Slot::Table(table.clone()), partials.slot()],
                workgroups: piece.workgroups(),
                trips: u64::from(caps.quads) + 32 + u64::from(caps.lanes.ilog2()),
            });
        }
        partials.into_arg(&mut out, caps, 1, &args[1]);
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for Prox {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        let mut data = rng.fill(arg, self.domain(arg), pattern);
        // Weights exactly on the threshold, and its neighbours: the comparison has to be exact.
        if let (HostData::F32(v), Pattern::Ordinary) = (&mut data, pattern) {
            for s in &self.segments {
                let [threshold, _] = self.scalars(&self.groups[s.group]);
                for (i, w) in v[s.start..s.start + s.len].iter_mut().enumerate().step_by(3) {
                    *w = [threshold, -threshold, threshold.next_up(), -threshold.next_down()][i / 3 % 4];
                }
            }
        }
        data
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let mut value = args[0].to_f64();
        let mut bound = vec![0.0; value.len()];
        let mut zeros = 0u32;
        for s in &self.segments {
            let [t, d] = self.scalars(&self.groups[s.group]).map(f64::from);
            for i in s.start..s.start + s.len {
                let (before, after) = (value[i], reference::prox(t, d, value[i]));
                value[i] = after;
                if before.abs() <= t {
                    zeros = zeros.wrapping_add(1);
                } else if before.is_finite() {
                    // The difference is rounded once, the quotient within 2.5 ulp; either may be flushed.
                    let rounded = f64::from(u8::from(t != 0.0)) + if d == 1.0 { 0.0 } else { 2.5 };
                    bound[i] = rounded * DType::F32.epsilon() * after.abs() + 2.0 * DType::F32.least_normal();
                    bound[i] = Approx { value: after, error: bound[i] }.stored_with_ulp(self.dtype);
                }
            }
        }
        vec![Expected::Within { value, bound }, Expected::Exact(HostData::U32(vec![zeros]))]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let kinds =
        [ElasticNet::l1(0.5), ElasticNet::new(0.25, 0.3), ElasticNet::NONE, ElasticNet::l2(0.3), ElasticNet::weight_decay(0.3)];
    let mut out = arena_cases(5, |dtype, segments, n| {
        let groups = (0..5).map(|g| kinds[(g + n) % 5]).collect();
        Box::new(Prox { dtype, segments, groups, step: [0.9, 0.05][n % 2] })
    });
    // More blocks than a workgroup merges, on every device.
    let mut segments = Segment::pack(&[1; 1100], 4);
    segments.iter_mut().enumerate().for_each(|(i, s)| s.group = i % 5);
    out.push(Box::new(Prox { dtype: DType::F32, segments, groups: kinds.to_vec(), step: 0.9 }));
    // A step of 0 changes nothing.
    out.push(Box::new(Prox { dtype: DType::F16, segments: Segment::one(1000), groups: vec![kinds[0]], step: 0.0 }));
    out
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    DType::FLOATS
        .into_iter()
        .map(|dtype| {
            let (segments, groups) = (Segment::one(elements), vec![ElasticNet::new(1e-4, 1e-4)]);
            Box::new(Prox { dtype, segments, groups, step: 0.1 }) as Box<dyn Verify>
        })
        .collect()
}
