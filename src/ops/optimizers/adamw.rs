//! One AdamW step. Kernel: `shaders/optimizers/adamw.wgsl`. Reference: `cpu::adamw`.
use crate::{
    kernel,
    kernels::optimizer::{adaptive::Adaptive, json::parse_optimizer, macros::optimizer},
    op::{Arg, Caps, Cost, Lowered, Op},
    options::{Averaging, EpsPlace, Group, Key, NonFinite, Rounding},
    types::{DType, Error, HostData, Segment},
};
#[cfg(feature = "verify")]
use crate::{
    kernels::{arena::arena_cases, optimizer::cases},
    op::{Expected, Pattern, Rng, Verify},
};
use ridgepole_derive::op;

optimizer! {
    /// One AdamW step, for one tensor or a whole model in one dispatch, with every penalty of its [`Group`](crate::options::Group)s in
    /// the same pass:
    ///
    /// 1. g = `grad_scale` · scale · grad + gradient of the coupled penalty (with that alone: Adam with L2, as published)
    /// 2. m = β1·m + (1 - β1)·g, v = β2·v + (1 - β2)·g²; u = v, with `amsgrad` the largest v so far, v_max; m̂ = m / (1 -
    ///    β1^`step`), û = u / (1 - β2^`step`)
    /// 3. w = w - decay · w - lr · m̂ / (√û + `eps`), or m̂ / √(û + `eps`) by `eps_place`, with the old w in both terms; w =
    ///    prox(w), with step lr and not the preconditioned one
    ///
    /// Reads `grad` and, with `gpu_scale`, `scale` (f32\[1\], on the GPU: a clip factor, the inverse of a loss scale).
    /// Updates `weight`, `m`, `v` and, with `amsgrad`, `v_max` (f32; zeros before the first step), with `master` and with
    /// `ema` f32 buffers of these names, with `gpu_step` `steps` (u32\[1\], + 1 for a step that was made), with
    /// [`NonFinite::Skip`] `skipped` (u32\[1\], + 1 for a step that was left out). All but `scale`, `steps` and `skipped`
    /// hold the arena's elements. The order is PyTorch's; so is AMSGrad's maximum, see [`Adam`](crate::ops::Adam).
    ///
    /// Where the root is 0 (possible only with `eps` = 0), m̂ / 0 is taken as 0: no gradient, no step. `eps` has one place;
    /// optax, which has both, adds a second one, `eps_root`, that is 0 by default. β2 reaches the GPU as f32, as in PyTorch:
    /// v of a constant gradient settles within 2^-25 / (1 - β2) of its square, 3e-5 at 0.999.
    ///
    /// The bias corrections are computed on the host in f64, from `step`, which the caller counts: if that counts attempted
    /// steps, a skipped one counts in the corrections. With `gpu_step` a counter on the GPU, `steps`, takes the place of
    /// `step`: it holds the number of steps made before, 0 before the first, and a skipped step does not move it, as PyTorch's
    /// counter under a GradScaler. Nobody reads anything back, and no plan needs another `step`. It stops at 2^32 - 1, where
    /// every β^step is 0 beside 1. The `updates` of an `ema`'s warm-up and the key of a rounding stay the caller's.
    ///
    /// Deterministic. Scratch: 16 bytes if steps may be skipped, 32 with `gpu_step`. An empty arena is left alone and counts
    /// no step.
    ///
    /// Error: running analysis of the kernel's own operations, each at WGSL's accuracy ([`Approx`](crate::verify::Approx)); the
    /// quotient's is an interval's, so it holds where v is near 0 too. Kingma and Ba, "Adam", 2015; Loshchilov and Hutter,
    /// "Decoupled weight decay regularization", 2019.
    #[op(
        name = "adamw",
        summary = "AdamW step, also with AMSGrad, with all penalties fused in, over one tensor or an arena",
        formula = "g += coupled; m, v = moments of g; w = prox(w - decay·w - lr·m̂/(√v̂ + eps))",
        parse = |value| parse_optimizer::<Adamw>(NAME, Some("PyTorch: 0.01, optax: 0.0001, Keras: 0.004"), value)
    )]
    pub struct Adamw {
        groups: #[field(must_give = [decay])];
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
        /// Divide by the root of the largest second moment so far (AMSGrad), which is one more buffer.
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

impl Adamw {
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

impl Op for Adamw {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        self.rule().optimizer().args()
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.rule().lower(caps, kernel!("optimizers/adamw"))
    }

    /// f32: 28 bytes an element, f16 and bf16: 22; with AMSGrad 8 more; the gradients once more if a step may be skipped.
    fn cost(&self) -> Cost {
        self.rule().optimizer().cost()
    }
}

#[cfg(feature = "verify")]
impl Verify for Adamw {
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
        let (ema, master, rounding) = cases::keeping(dtype, n % 5, n);
        let plain = Adamw { segments, groups: cases::groups(), ema, master, rounding, ..Adamw::new(dtype, 0, 0.1) };
        // A half holds no more than 65504: with v = 0, m / eps must not be past it.
        let plain = if dtype == DType::F16 { Adamw { eps: 1e-3, ..plain } } else { plain };
        let (skip, inside) = (NonFinite::Skip, EpsPlace::InsideRoot);
        // Distinct pipelines cost compile time, so each half type takes its own part of what f32 takes whole.
        Box::new(match (n % 5, dtype) {
            (0, DType::F16) => Adamw { step: 2, gpu_scale: true, non_finite: skip, ..plain },
            (_, DType::F16) => {
                Adamw { beta1: 0.5, beta2: 0.0, gpu_scale: true, gpu_step: true, non_finite: skip, eps_place: inside, ..plain }
            }
            (0, _) => plain,
            (1, _) => Adamw { step: 10, grad_scale: -0.25, eps: 1e-3, eps_place: inside, ..plain },
            (2, DType::F32) => Adamw { gpu_step: true, amsgrad: true, gpu_scale: true, non_finite: skip, ..plain },
            (3, DType::F32) => Adamw { step: u64::MAX, eps: 0.0, beta2: 0.9999, non_finite: skip, ..plain },
            (4, DType::F32) => Adamw { gpu_step: true, beta2: 0.9999, ..plain },
            _ => Adamw { step: 1_000_000, beta1: 0.0, beta2: 0.5, eps: 1e-2, amsgrad: true, ..plain },
        })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    let make = |dtype, segments, groups| Adamw { segments, groups, step: 10, ..Adamw::new(dtype, 0, 1e-3) };
    let mut out = cases::bench(elements, |dtype, segments, groups| Box::new(make(dtype, segments, groups)));
    // What keeping weights in other ways costs: for all optimizers the same.
    let half = make(DType::Bf16, Segment::one(elements), vec![Group::default()]);
    let rounding = Rounding::Stochastic(Key::default());
    out.push(Box::new(Adamw { master: true, ..half.clone() }));
    out.push(Box::new(Adamw { rounding, ..half.clone() }));
    out.push(Box::new(Adamw { ema: Some(Averaging::constant(0.999)), ..half }));
    out
}
