//! The gradient of a penalty, added to a gradient. Kernel: `shaders/penalties/penalty_grad.wgsl`. Reference: `cpu::penalty_grad`.
use crate::{
    kernel,
    kernels::arena::Arena,
    op::{Arg, Caps, Lowered, Op, Slot, Step, check_float},
    options::{ElasticNet, Per},
    types::{DType, Error, HostData, Segment},
    wgsl::{Decl, Spec, View},
};
#[cfg(feature = "verify")]
use crate::{
    kernels::arena::arena_cases,
    op::{Expected, Pattern, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

/// Adds the gradient of [`Penalty`](super::Penalty), ∂Ω/∂w = λ1·sign(w) + 2·λ2·w (or λ2·w), to the loss gradient, for one
/// tensor or a whole arena in one dispatch.
///
/// Applied to activations, it is the gradient of activity regularisation, divided by the number of samples with
/// [`Per::Batch`].
///
/// Reads `weight`, updates `grad` in place; both hold the arena's elements. sign(0) = 0. Under this subgradient small weights
/// oscillate around zero; only [`Prox`](super::Prox) makes exact zeros. A NaN weight has sign 0. Deterministic. No scratch.
///
/// Error: three roundings of f32 in the sum, and the rounding of the storage type.
#[op(
    name = "penalty_grad",
    summary = "gradient of an L1, L2 or elastic-net penalty, added to the loss gradient, over one tensor or an arena",
    formula = "g += λ1·sign(w) + 2·λ2·w"
)]
pub struct PenaltyGrad {
    /// How weights and gradients are stored.
    pub dtype: DType,
    /// The tensors of the arena, in ascending order.
    pub segments: Vec<Segment>,
    /// The penalty of each parameter group.
    pub groups: Vec<ElasticNet>,
    /// What it is divided by: where the arena holds the activations of a batch, perhaps its samples.
    #[field(default)]
    pub per: Per,
}

impl PenaltyGrad {
    /// Of these tensors, divided by nothing.
    pub fn new(dtype: DType, segments: Vec<Segment>, groups: Vec<ElasticNet>) -> Self {
        Self::from_required(dtype, segments, groups)
    }
}

impl Op for PenaltyGrad {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = Segment::arena_len(&self.segments);
        vec![Arg::read("weight", self.dtype, len), Arg::update("grad", self.dtype, len)]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let args = self.args();
        check_float(NAME, &args[0])?;
        self.groups.iter().enumerate().try_for_each(|(i, g)| g.check(NAME, "groups", i))?;
        self.per.check(NAME)?;
        self.groups.iter().enumerate().try_for_each(|(i, g)| g.check_over(self.per, NAME, i, |g| g.slope()))?;
        let arena = Arena::new(NAME, &self.segments, self.groups.len(), caps)?;
        let mut out = Lowered::default();
        let table = out.table(
            &arena.table(self.groups.iter().map(|g| g.over(self.per)).map(|g| [g.l1 as f32, g.slope() as f32, 0.0, 0.0])),
            caps,
        );
        for piece in arena.pieces(NAME, caps, self.dtype.size())? {
            let decl = |name, writes| Decl { name, dtype: self.dtype, view: piece.view(), writes };
            out.steps.push(Step {
                spec: Spec {
                    shader: kernel!("penalties/penalty_grad"),
                    entry: "penalty_grad",
                    parts: vec![],
                    bindings: vec![
                        decl("weight", false),
                        decl("grad", true),
                        Decl { name: "table", dtype: DType::U32, view: View::Raw("vec4<u32>"), writes: false },
                    ],
                    consts: vec![("WG", caps.lanes), ("QUADS", caps.quads)],
                },
                params: arena.window(&piece).into(),
                slots: vec![piece.slot(0, &args[0]), piece.slot(1, &args[1]), Slot::Table(table.clone())],
                workgroups: piece.workgroups(),
                trips: u64::from(caps.quads) + 32,
            });
        }
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for PenaltyGrad {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (w, mut value) = (args[0].to_f64(), args[1].to_f64());
        let mut bound = vec![0.0; value.len()];
        let e32 = DType::F32.epsilon();
        for s in &self.segments {
            let group = self.groups[s.group].over(self.per);
            for i in s.start..s.start + s.len {
                let term = reference::penalty_grad(group.l1, group.slope(), w[i]);
                // λ and slope are rounded to f32 (1 ulp each), their product once, the two sums once each; a term may
                // be flushed if it is below the least normal number.
                let terms = if group.slope() == 0.0 { group.l1 } else { group.l1 + group.slope() * w[i].abs() };
                bound[i] = e32 * (3.0 * terms + (value[i] + term).abs()) + 2.0 * DType::F32.least_normal();
                value[i] += term;
                bound[i] = Approx { value: value[i], error: bound[i] }.stored_with_ulp(self.dtype);
            }
        }
        vec![Expected::Within { value, bound }]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let kinds = [ElasticNet::l1(1e-2), ElasticNet::l2(0.3), ElasticNet::weight_decay(0.3), ElasticNet::new(1e-2, 0.3)];
    arena_cases(4, |dtype, segments, n| {
        let groups = (0..4).map(|g| kinds[(g + n) % 4]).collect();
        let per = if n % 3 == 1 { Per::Batch(1 + n) } else { Per::Sum };
        Box::new(PenaltyGrad { per, ..PenaltyGrad::new(dtype, segments, groups) })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    DType::FLOATS
        .into_iter()
        .map(|dtype| {
            let (segments, groups) = (Segment::one(elements), vec![ElasticNet::new(1e-4, 1e-4)]);
            Box::new(PenaltyGrad::new(dtype, segments, groups)) as Box<dyn Verify>
        })
        .collect()
}
