//! One Adagrad step. Kernel: `shaders/optimizers/adagrad.wgsl`. Reference: `cpu::adagrad`.
#[cfg(feature = "verify")]
use crate::kernels::optimizer::{coupled, regularised};
use crate::{
    kernel,
    kernels::optimizer::{
        Optimizer, adaptive,
        json::parse_optimizer,
        macros::{optimizer, optimizer_params, optimizer_words},
    },
    op::{Arg, Caps, Cost, Lowered, Op},
    options::{EpsPlace, Group, NonFinite, check_derived, check_scalar},
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
    AdagradParams {
        eps_inside: f32, eps_outside: f32,
    }
}

optimizer! {
    /// One Adagrad step, for one tensor or a whole model in one dispatch, with every penalty of its [`Group`](crate::options::Group)s
    /// in the same pass:
    ///
    /// 1. g = `grad_scale` · scale · grad + gradient of the coupled penalty; s = s + g²
    /// 2. lr = `lr` / (1 + (`step` - 1) · `lr_decay`)
    /// 3. w = w - decay · w - lr · g / (√s + `eps`), or g / √(s + `eps`) by `eps_place`, with the old w in both terms; w =
    ///    prox(w), with step lr. Decay and prox use the decayed lr.
    ///
    /// Reads `grad` and, with `gpu_scale`, `scale` (f32\[1\], on the GPU: a clip factor, the inverse of a loss scale).
    /// Updates `weight` and `sum` (s, f32, not negative; before the first step it holds the initial accumulator, 0 in PyTorch
    /// and 0.1 in optax by default), with `master` and with `ema` f32 buffers of these names, with [`NonFinite::Skip`]
    /// `skipped` (u32\[1\], + 1 for a step that was left out). All but `scale` and `skipped` hold the arena's elements. The
    /// order is PyTorch's.
    ///
    /// Where the root is 0 (possible only with `eps` = 0), the quotient is taken as 0: no gradient, no step. Deterministic.
    /// Scratch: 16 bytes if steps may be skipped. An empty arena is left alone and counts no step.
    ///
    /// Error: running analysis of the kernel's own operations, each at WGSL's accuracy ([`Approx`]). Duchi et al., "Adaptive
    /// subgradient methods for online learning and stochastic optimization", 2011.
    #[op(
        name = "adagrad",
        summary = "Adagrad step with learning-rate decay and all penalties fused in, over one tensor or an arena",
        formula = "g += coupled; s += g²; lr = lr/(1 + (step-1)·lr_decay); w = prox(w - decay·w - lr·g/(√s + eps))",
        parse = |value| parse_optimizer::<Adagrad>(NAME, None, value)
    )]
    pub struct Adagrad {
        /// The learning rate of the first step.
        #[field(min = 0)]
        pub lr: f64,
        /// The learning-rate decay.
        #[field(default, min = 0)]
        pub lr_decay: f64,
        /// Keeps the quotient finite.
        #[field(default = 1e-10, min = 0)]
        pub eps: f64,
        /// Where eps is added.
        #[field(default)]
        pub eps_place: EpsPlace,
        /// The number of this step, counted from 1.
        #[field(min = 1)]
        pub step: u64,
    }
}

impl Adagrad {
    /// PyTorch's defaults on one tensor of `len` elements, step 1: no learning-rate decay, no penalty.
    pub fn new(dtype: DType, len: usize, lr: f64) -> Self {
        Self::from_required(dtype, Segment::one(len), vec![Group::default()], lr, 1)
    }

    fn optimizer(&self) -> Optimizer<'_> {
        self.common(NAME, &["sum"], self.lr / (1.0 + self.step.saturating_sub(1) as f64 * self.lr_decay), self.step)
    }
}

impl Op for Adagrad {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        self.optimizer().args()
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        for (field, v) in [("lr", self.lr), ("lr_decay", self.lr_decay), ("eps", self.eps)] {
            check_scalar(NAME, field, v, [0.0, f64::INFINITY])?;
        }
        check_derived(NAME, "lr_decay", "lr / (1 + (step - 1) · lr_decay)", self.optimizer().lr)?;
        let [inside, outside] = self.eps_place.split(self.eps);
        self.optimizer().lower(caps, kernel!("optimizers/adagrad"), &[], |words| {
            optimizer_words!(AdagradParams, words;
                eps_inside: inside as f32,
                eps_outside: outside as f32,
            )
        })
    }

    /// f32: 20 bytes an element, f16 and bf16: 14; the gradients once more if a step may be skipped.
    fn cost(&self) -> Cost {
        self.optimizer().cost()
    }
}

#[cfg(feature = "verify")]
impl Verify for Adagrad {
    fn patterns(&self) -> Vec<Pattern> {
        let mut all = vec![Pattern::Ordinary, Pattern::Zeros, Pattern::NonFinite];
        // With eps = 0, what a device flushes to 0 decides whether there is a step: nothing is promised there.
        all.extend((self.eps > 0.0).then_some(Pattern::Tiny));
        all
    }

    fn domain(&self, arg: &Arg) -> [f64; 2] {
        match arg.name {
            "scale" => [0.5, 2.0],
            "sum" => [0.0, 1.0],
            _ => [-1.0, 1.0],
        }
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        self.optimizer().fill(arg, self.domain(arg), rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let eps = self.eps_place.split(self.eps);
        self.optimizer().reference(args, |factor, rates, [g, w, sum, _, _]| {
            let (weight, sum1) = reference::adagrad(&reference::AdagradStep { descent: rates.descent(factor), eps }, w, g, sum);
            // The same again as the kernel does it, for the error.
            let g = coupled(factor, rates, g, w);
            let sum = Approx::sum([Approx::exact(sum), g.times(g)]);
            let (moved, none) = (regularised(rates, w, adaptive::quotient(g, sum, eps)), Approx::exact(0.0));
            [Approx { value: weight, ..moved }, Approx { value: sum1, ..sum }, none, none]
        })
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    arena_cases(4, |dtype, segments, n| {
        let (ema, master, rounding) = cases::keeping(dtype, n % 5, n);
        let plain = Adagrad { segments, groups: cases::groups(), ema, master, rounding, ..Adagrad::new(dtype, 0, 0.1) };
        // A half holds no more than 65504: with s = 0, g / eps must not be past it.
        let plain = if dtype == DType::F16 { Adagrad { eps: 1e-3, ..plain } } else { plain };
        let inside = Adagrad { eps: 1e-3, eps_place: EpsPlace::InsideRoot, lr_decay: 0.5, ..plain.clone() };
        let skip = NonFinite::Skip;
        // Distinct pipelines cost compile time, so each half type takes its own part of what f32 takes whole.
        Box::new(match (n % 5, dtype) {
            (0, DType::F32 | DType::F16) => plain,
            (1, DType::F32 | DType::F16) => Adagrad { step: 3, grad_scale: -0.25, ..inside },
            (2, DType::F32) => Adagrad { step: 4, gpu_scale: true, non_finite: skip, ..inside },
            (3, DType::F32) => Adagrad { eps: 0.0, non_finite: skip, ..plain },
            (_, DType::F32 | DType::F16) => Adagrad { step: u64::MAX, lr_decay: 1e-3, ..plain },
            _ => Adagrad { step: 7, gpu_scale: true, non_finite: skip, ..inside },
        })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    cases::bench(elements, |dtype, segments, groups| Box::new(Adagrad { segments, groups, ..Adagrad::new(dtype, 0, 1e-2) }))
}
