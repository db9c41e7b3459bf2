//! One Lion step. Kernel: `shaders/optimizers/lion.wgsl`. Reference: `cpu::lion`.
#[cfg(feature = "verify")]
use crate::kernels::optimizer::{coupled, regularised};
use crate::{
    kernel,
    kernels::optimizer::{
        Optimizer,
        adaptive::check_beta,
        json::parse_optimizer,
        macros::{optimizer, optimizer_params, optimizer_words},
    },
    op::{Arg, Caps, Cost, Lowered, Op},
    options::{Group, NonFinite},
    types::{DType, Error, HostData, Segment},
};
#[cfg(feature = "verify")]
use crate::{
    kernels::{arena::arena_cases, optimizer::cases},
    op::{Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

optimizer_params! {
    LionParams {
        beta1: f32, fresh1: f32, beta2: f32, fresh2: f32,
    }
}

optimizer! {
    /// One Lion step, for one tensor or a whole model in one dispatch, with every penalty of its [`Group`](crate::options::Group)s in
    /// the same pass:
    ///
    /// 1. g = `grad_scale` · scale · grad + gradient of the coupled penalty
    /// 2. c = β1·m + (1 - β1)·g, m = β2·m + (1 - β2)·g
    /// 3. w = w - decay · w - lr · sign(c), with the old w in both terms; w = prox(w)
    ///
    /// Reads `grad` and, with `gpu_scale`, `scale` (f32\[1\], on the GPU: a clip factor, the inverse of a loss scale).
    /// Updates `weight` and `m` (f32; zeros before the first step), with `master` and with `ema` f32 buffers of these names,
    /// with [`NonFinite::Skip`] `skipped` (u32\[1\], + 1 for a step that was left out). All but `scale` and `skipped` hold
    /// the arena's elements. The paper's weight decay is the groups' decoupled one.
    ///
    /// sign(0) = 0; a NaN stays NaN. No step number is needed: Lion has no bias correction. Deterministic. Scratch: 16 bytes
    /// if steps may be skipped. An empty arena is left alone and counts no step.
    ///
    /// Error: running analysis of the kernel's own operations, each at WGSL's accuracy ([`Approx`]). Where c is within its
    /// error of 0, either sign is possible on any device: the weight is then certain only to 2·lr. Chen et al., "Symbolic
    /// discovery of optimization algorithms", 2023.
    #[op(
        name = "lion",
        summary = "Lion step (sign of the interpolated momentum) with all penalties fused in, over one tensor or an arena",
        formula = "g += coupled; c = β1·m + (1-β1)·g; m = β2·m + (1-β2)·g; w = prox(w - decay·w - lr·sign(c))",
        parse = |value| parse_optimizer::<Lion>(NAME, Some("optax: 0.001, Keras: none"), value)
    )]
    pub struct Lion {
        groups: #[field(must_give = [decay])];
        /// The learning rate.
        #[field(min = 0)]
        pub lr: f64,
        /// β1, the weight of the old momentum in the direction.
        #[field(default = 0.9, min = 0, below = 1)]
        pub beta1: f64,
        /// β2, the decay rate of the momentum.
        #[field(default = 0.99, min = 0, below = 1)]
        pub beta2: f64,
    }
}

impl Lion {
    /// Lion with the usual β on one tensor of `len` elements: no decay, no penalty.
    pub fn new(dtype: DType, len: usize, lr: f64) -> Self {
        Self::from_required(dtype, Segment::one(len), vec![Group::default()], lr)
    }

    fn optimizer(&self) -> Optimizer<'_> {
        self.common(NAME, &["m"], self.lr, 1)
    }
}

impl Op for Lion {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        self.optimizer().args()
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        check_beta(NAME, "beta1", self.beta1)?;
        check_beta(NAME, "beta2", self.beta2)?;
        self.optimizer().lower(caps, kernel!("optimizers/lion"), &[], |words| {
            optimizer_words!(LionParams, words;
                beta1: self.beta1 as f32,
                fresh1: (1.0 - self.beta1) as f32,
                beta2: self.beta2 as f32,
                fresh2: (1.0 - self.beta2) as f32,
            )
        })
    }

    /// f32: 20 bytes an element, f16 and bf16: 14; the gradients once more if a step may be skipped.
    fn cost(&self) -> Cost {
        self.optimizer().cost()
    }
}

#[cfg(feature = "verify")]
impl Verify for Lion {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn domain(&self, arg: &Arg) -> [f64; 2] {
        if arg.name == "scale" { [0.5, 2.0] } else { [-1.0, 1.0] }
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        self.optimizer().fill(arg, self.domain(arg), rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        self.optimizer().reference(args, |factor, rates, [g, w, m, _, _]| {
            let step = reference::LionStep { descent: rates.descent(factor), beta1: self.beta1, beta2: self.beta2 };
            let (weight, moment) = reference::lion(&step, w, g, m);
            let g = coupled(factor, rates, g, w);
            let mean = |beta: f64| Approx::sum([Approx::exact(m).scaled(beta), g.scaled(1.0 - beta)]);
            let (moved, none) = (regularised(rates, w, mean(self.beta1).sign()), Approx::exact(0.0));
            [Approx { value: weight, ..moved }, Approx { value: moment, ..mean(self.beta2) }, none, none]
        })
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    arena_cases(4, |dtype, segments, n| {
        // Tensors take groups by turns of four as well: each kind is to meet all of them.
        let kind = (n + n / 4) % 4;
        let (ema, master, rounding) = cases::keeping(dtype, kind, n);
        let plain = Lion { segments, groups: cases::groups(), ema, master, rounding, ..Lion::new(dtype, 0, 0.1) };
        let skip = NonFinite::Skip;
        // Distinct pipelines cost compile time, so each half type takes its own part of what f32 takes whole.
        Box::new(match (kind, dtype) {
            (0, DType::F32 | DType::F16) => plain,
            (1, DType::F32 | DType::F16) => Lion { beta1: 0.0, grad_scale: -0.25, ..plain },
            (2, DType::F32) => Lion { gpu_scale: true, non_finite: skip, ..plain },
            (_, DType::F32 | DType::F16) => Lion { beta1: 0.5, beta2: 0.0, ..plain },
            _ => Lion { gpu_scale: true, non_finite: skip, grad_scale: 0.5, ..plain },
        })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    cases::bench(elements, |dtype, segments, groups| Box::new(Lion { segments, groups, ..Lion::new(dtype, 0, 1e-4) }))
}
