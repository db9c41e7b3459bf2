//! The value of a penalty. Kernel: `shaders/penalties/penalty.wgsl`, then `lib/reduce/level`. Reference: `cpu::penalty`.
use crate::{
    kernel,
    kernels::{
        arena::{self, Arena, ArenaWindow},
        reduce::{Monoid, Partials},
    },
    op::{Arg, Caps, Lowered, Op, Slot, Step, check_float},
    options::{ElasticNet, Per},
    params,
    types::{DType, Error, HostData, Segment},
    wgsl::{Decl, Spec, View},
};
#[cfg(feature = "verify")]
use crate::{
    kernels::arena::arena_cases,
    op::{Expected, Pattern, Rng, Verify},
    verify::reference,
};
use ridgepole_derive::op;

params! { PenaltyParams { window: ArenaWindow, partial: u32 } }

/// The value of an L1, L2 or elastic-net penalty: Ω(w) = λ1·Σ|w| + λ2·Σw² (or ½·λ2·Σw²), summed over all tensors of an arena,
/// each with its own group's λ.
///
/// Applied to activations, it is activity regularisation; [`Per::Batch`] divides it by the number of samples, as Keras does.
///
/// Reads `weight` (the arena's elements), writes `value`, f32\[1\]. An arena without elements gives 0. A term whose λ is 0
/// is absent; otherwise a NaN weight makes the value NaN and an infinite one makes it infinite. Partial sums are added in a
/// fixed order: deterministic, and the same however the arena is windowed. A sum beyond 3.4e38 is infinite.
///
/// Error: at most (6 + 72·(1 + levels)) ulp of the value (all terms are positive), levels being 1 up to 262144 elements
/// and 2 up to 67 million. It was below 1 ulp on 4 million ordinary weights. Needs one dispatch per window,
/// one for an end that is no whole quad, and one per level.
#[op(
    name = "penalty",
    summary = "value of an L1, L2 or elastic-net penalty, over one tensor or an arena",
    formula = "Ω = λ1·Σ|w| + λ2·Σw²"
)]
pub struct Penalty {
    /// How weights are stored.
    pub dtype: DType,
    /// The tensors of the arena, in ascending order.
    pub segments: Vec<Segment>,
    /// The penalty of each parameter group.
    pub groups: Vec<ElasticNet>,
    /// What it is divided by: where the arena holds the activations of a batch, perhaps its samples.
    #[field(default)]
    pub per: Per,
}

impl Penalty {
    /// Of these tensors, divided by nothing.
    pub fn new(dtype: DType, segments: Vec<Segment>, groups: Vec<ElasticNet>) -> Self {
        Self::from_required(dtype, segments, groups)
    }
}

/// The longest chain of additions that a term goes through in one kernel, on any device: the trips of a lane (64 where
/// lanes are few), and the workgroup's tree (8 levels where they are many).
const CHAIN: f64 = 64.0 + 8.0;

impl Op for Penalty {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = Segment::arena_len(&self.segments);
        vec![Arg::read("weight", self.dtype, len), Arg::write("value", DType::F32, 1)]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let caps = &caps.summing();
        let args = self.args();
        check_float(NAME, &args[0])?;
        self.groups.iter().enumerate().try_for_each(|(i, g)| g.check(NAME, "groups", i))?;
        self.per.check(NAME)?;
        self.groups.iter().enumerate().try_for_each(|(i, g)| g.check_over(self.per, NAME, i, |g| g.square_factor()))?;
        let arena = Arena::new(NAME, &self.segments, self.groups.len(), caps)?;
        let mut out = Lowered::default();
        let rows = self.groups.iter().map(|g| g.over(self.per)).map(|g| [g.l1 as f32, g.square_factor() as f32, 0.0, 0.0]);
        let table = out.table(&arena.table(rows), caps);
        let pieces = arena.pieces(NAME, caps, self.dtype.size())?;
        let (partials, first) = Partials::of_pieces(NAME, &mut out, caps, Monoid::SUM, &pieces)?;
        for (piece, partial) in pieces.iter().zip(first) {
            out.steps.push(Step {
                spec: Spec {
                    shader: kernel!("penalties/penalty"),
                    entry: "penalty",
                    parts: vec![],
                    bindings: vec![
                        Decl { name: "weight", dtype: self.dtype, view: piece.view(), writes: false },
                        Decl { name: "table", dtype: DType::U32, view: View::Raw("vec4<u32>"), writes: false },
                        Monoid::SUM.decl("partials", true),
                    ],
                    consts: vec![("WG", caps.lanes), ("QUADS", caps.quads)],
                },
                params: PenaltyParams { window: arena.window(piece), partial }.into(),
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
impl Verify for Penalty {
    fn patterns(&self) -> Vec<Pattern> {
        if Segment::arena_len(&self.segments) > 1 << 20 {
            return vec![Pattern::Zeros];
        }
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        let mut data = rng.fill(arg, self.domain(arg), pattern);
        if pattern == Pattern::NonFinite && arg.len.is_multiple_of(2) {
            // One NaN would hide what infinities do.
            data = HostData::from_f64(arg.dtype, data.to_f64().into_iter().map(|w| if w.is_nan() { 0.5 } else { w }));
        }
        // A sum hides one wrong element among many others, but not among few.
        let data = if pattern == Pattern::Zeros { arena::sparse(&self.segments, data, rng) } else { data };
        arena::poison_gaps(&self.segments, data)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let w = args[0].to_f64();
        let mut value = 0.0;
        let mut blocks = 0;
        for s in &self.segments {
            let group = self.groups[s.group].over(self.per);
            value +=
                w[s.start..s.start + s.len].iter().map(|&w| reference::penalty(group.l1, group.square_factor(), w)).sum::<f64>();
            // The smallest block that a device makes: 4 lanes of 64 quads, or 64 of 4.
            blocks += s.len.div_ceil(1024) + 1;
        }
        let levels = (blocks as f64).log(256.0).ceil().max(1.0);
        // All terms are positive, so each addition is off by 1 ulp of the value at most. Before them: λ1 and c rounded to
        // f32, c·|w|, λ1 + c·|w| and the product with |w|. After them: the four elements of a quad, two additions.
        let ulps = 4.0 + 2.0 + CHAIN * (1.0 + levels);
        // Each term, and each factor of it, may be flushed below the least normal number.
        let flushed = 2.0 * DType::F32.least_normal() * w.iter().map(|w| 1.0 + w.abs()).filter(|w| w.is_finite()).sum::<f64>();
        vec![Expected::Within { value: vec![value], bound: vec![ulps * DType::F32.epsilon() * value + flushed] }]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let kinds =
        [ElasticNet::l1(1e-2), ElasticNet::l2(0.3), ElasticNet::weight_decay(0.3), ElasticNet::new(1e-2, 0.3), ElasticNet::NONE];
    let mut out = arena_cases(5, |dtype, segments, n| {
        let groups = (0..5).map(|g| kinds[(g + n) % 5]).collect();
        let per = if n % 3 == 1 { Per::Batch(1 + n) } else { Per::Sum };
        Box::new(Penalty { per, ..Penalty::new(dtype, segments, groups) })
    });
    // More blocks than a workgroup merges, on every device: by many tensors, and by one long one.
    let mut segments = Segment::pack(&[1; 1100], 4);
    segments.iter_mut().enumerate().for_each(|(i, s)| s.group = i % 5);
    out.push(Box::new(Penalty::new(DType::F32, segments, kinds.to_vec())));
    out.push(Box::new(Penalty::new(DType::F32, Segment::one((3 << 20) + 5), vec![kinds[3]])));
    out
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    DType::FLOATS
        .into_iter()
        .map(|dtype| {
            let (segments, groups) = (Segment::one(elements), vec![ElasticNet::new(1e-4, 1e-4)]);
            Box::new(Penalty::new(dtype, segments, groups)) as Box<dyn Verify>
        })
        .collect()
}
