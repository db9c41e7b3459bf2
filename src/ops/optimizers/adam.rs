//! One Adam step. Kernel: `shaders/optimizers/adam.wgsl`. Reference: `cpu::adam`.
use crate::{
    kernel,
    kernels::optimizer::{adaptive::Adaptive, json::parse_optimizer, macros::optimizer},
    op::{Arg, Caps, Cost, Lowered, Op},
    options::{EpsPlace, Group, NonFinite},
    types::{DType, Error, HostData, Segment},
};
#[cfg(feature = "verify")]
use crate::{
    kernels::{arena::arena_cases, optimizer::cases},
    op::{Expected, Pattern, Rng, Verify},
};
use ridgepole_derive::op;

optimizer! {
    /// One Adam step, for one tensor or a whole model in one dispatch, with every penalty of its [`Group`](crate::options::Group)s in
    /// the same pass:
    ///
    /// 1. g = `grad_scale` · scale · grad + gradient of the coupled penalty (`coupled` with the half L2 form: the
    ///    `weight_decay` of PyTorch's Adam)
    /// 2. m = β1·m + (1 - β1)·g, v = β2·v + (1 - β2)·g²; u = v, with `amsgrad` the largest v so far, v_max
    /// 3. w = w - decay · w - lr · m̂ / (√û + `eps`), or m̂ / √(û + `eps`) by `eps_place`, m̂ = m / (1 - β1^`step`), û = u / (1 -
    ///    β2^`step`), with the old w in both terms; w = prox(w), with step lr and not the preconditioned one
    ///
    /// Reads `grad` and, with `gpu_scale`, `scale` (f32\[1\], on the GPU: a clip factor, the inverse of a loss scale).
    /// Updates `weight`, `m`, `v` and, with `amsgrad`, `v_max` (f32, v and v_max not negative; zeros before the first step),
    /// with `master` and with `ema` f32 buffers of these names, with `gpu_step` `steps` (u32\[1\], + 1 for a step that was
    /// made), with [`NonFinite::Skip`] `skipped` (u32\[1\], + 1 for a step that was left out). All but `scale`, `steps` and
    /// `skipped` hold the arena's elements. The kernel is that of [`Adamw`](crate::ops::Adamw), whose remarks on bias
    /// correction, the counter and `eps` hold here too.
    ///
    /// AMSGrad follows PyTorch: the maximum is taken over v. optax takes it over v̂, which is larger in early steps. A NaN in
    /// v_max stays. Deterministic. Scratch: 16 bytes if steps may be skipped, 32 with `gpu_step`. An empty arena is left alone
    /// and counts no step.
    ///
    /// Error: running analysis of the kernel's own operations, each at WGSL's accuracy ([`Approx`](crate::verify::Approx)). Kingma
    /// and Ba, "Adam", 2015; Reddi et al., "On the convergence of Adam and beyond", 2018.
    #[op(
        name = "adam",
        summary = "Adam or AMSGrad step with all penalties fused in, over one tensor or an arena",
        formula = "g += coupled; m, v = moments of g; w = prox(w - decay·w - lr·m̂/(√v̂ + eps))",
        parse = |value| parse_optimizer::<Adam>(NAME, None, value)
    )]
    pub struct Adam {
        /// The learning rate.
        #[field(min = 0)]
        pub lr: f64,
        /// β1, the decay rate of the first moment.
        #[field(default = 0.9, min = 0, below = 1)]
        pub beta1: f64,
        /// β2, the decay rate of the second moment.
        #[field(default = 0.999, min = 0, below = 1)]
        pub beta2: f64,
        /// Keeps the quotient finite: added to the corrected second moment, or to its root.
        #[field(default = 1e-8, min = 0)]
        pub eps: f64,
        /// Where eps is added: to √û, or inside the root, which optax calls `eps_root`.
        #[field(default)]
        pub eps_place: EpsPlace,
        /// Divide by the root of the largest second moment so far, which is one more buffer.
        #[field(default)]
        pub amsgrad: bool,
        /// The number of this step, counted from 1.
        #[field(min = 1)]
        pub step: u64,
        /// Whether the GPU counts the steps that were made, without skipped ones, in the argument `steps`; `step` is then 1.
        #[field(default)]
        pub gpu_step: bool,
    }
}

impl Adam {
    /// Adam with the usual β and eps on one tensor of `len` elements, step 1: no decay, no penalty.
    pub fn new(dtype: DType, len: usize, lr: f64) -> Self {
        Self::from_required(dtype, Segment::one(len), vec![Group::default()], lr, 1)
    }

    fn rule(&self) -> Adaptive<'_> {
        let optimizer = self.common(NAME, if self.amsgrad { &["m", "v", "v_max"] } else { &["m", "v"] }, self.lr, self.step);
        Adaptive {
            optimizer,
            beta1: self.beta1,
            beta2: self.beta2,
            eps: self.eps,
            eps_place: self.eps_place,
            amsgrad: self.amsgrad,
            gpu_step: self.gpu_step,
        }
    }
}

impl Op for Adam {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        self.rule().optimizer().args()
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.rule().lower(caps, kernel!("optimizers/adam"))
    }

    /// f32: 28 bytes an element, f16 and bf16: 22; with AMSGrad 8 more; the gradients once more if a step may be skipped.
    fn cost(&self) -> Cost {
        self.rule().optimizer().cost()
    }
}

#[cfg(feature = "verify")]
impl Verify for Adam {
    fn patterns(&self) -> Vec<Pattern> {
        self.rule().patterns()
    }

    fn domain(&self, arg: &Arg) -> [f64; 2] {
        self.rule().domain(arg.name)
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        self.rule().optimizer().fill(arg, self.domain(arg), rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        self.rule().reference(args)
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    arena_cases(4, |dtype, segments, n| {
        // Tensors take groups by turns of four as well: each kind is to meet all of them.
        let kind = (n + n / 4) % 4;
        let (ema, master, rounding) = cases::keeping(dtype, kind, n);
        let plain = Adam { segments, groups: cases::groups(), ema, master, rounding, ..Adam::new(dtype, 0, 0.1) };
        // A half holds no more than 65504: with v = 0, m / eps must not be past it.
        let plain = if dtype == DType::F16 { Adam { eps: 1e-3, ..plain } } else { plain };
        let max = Adam { amsgrad: true, ..plain.clone() };
        // Distinct pipelines cost compile time, so each half type takes its own part of what f32 takes whole.
        let (skip, inside) = (NonFinite::Skip, EpsPlace::InsideRoot);
        Box::new(match (kind, dtype) {
            (0, DType::F32) => plain,
            (1, DType::F32) => Adam { step: 10, grad_scale: -0.25, ..max },
            (2, DType::F32) => Adam { step: 1_000_000, beta1: 0.0, beta2: 0.5, eps: 1e-2, eps_place: inside, ..plain },
            (_, DType::F32) => Adam { gpu_step: true, non_finite: skip, eps: 0.5, eps_place: inside, ..max },
            (_, DType::F16) => Adam { step: 2, gpu_scale: true, non_finite: skip, ..max },
            (0 | 2, _) => Adam { step: 3, beta1: 0.5, beta2: 0.0, ..max },
            _ => Adam { gpu_step: true, beta1: 0.5, ..plain },
        })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    cases::bench(elements, |dtype, segments, groups| Box::new(Adam { segments, groups, step: 10, ..Adam::new(dtype, 0, 1e-3) }))
}
