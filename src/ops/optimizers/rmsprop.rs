//! One RMSprop step. Kernel: `shaders/optimizers/rmsprop.wgsl`. Reference: `cpu::rmsprop`.
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
    options::{EpsPlace, Group, NonFinite, check_scalar},
    types::{DType, Error, HostData, Segment},
    wgsl::parts,
};
#[cfg(feature = "verify")]
use crate::{
    kernels::{arena::arena_cases, optimizer::cases},
    op::{Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

optimizer_params! {
    RmsPropParams {
        alpha: f32, fresh: f32, momentum: f32, nesterov: u32, eps_inside: f32, eps_outside: f32,
    }
}

optimizer! {
    /// One RMSprop step, for one tensor or a whole model in one dispatch, with every penalty of its [`Group`](crate::options::Group)s
    /// in the same pass:
    ///
    /// 1. g = `grad_scale` · scale · grad + gradient of the coupled penalty
    /// 2. s = `alpha`·s + (1 - `alpha`)·g²; v = s, with `centered` v = s - a², a = `alpha`·a + (1 - `alpha`)·g
    /// 3. d = g / (√v + `eps`) or g / √(v + `eps`) by `eps_place`; with momentum buf = `momentum`·buf + d, and d = buf, or d +
    ///    `momentum`·buf (Nesterov, as optax)
    /// 4. w = w - decay · w - lr · d, with the old w in both terms; w = prox(w), with step lr
    ///
    /// Reads `grad` and, with `gpu_scale`, `scale` (f32\[1\], on the GPU: a clip factor, the inverse of a loss scale).
    /// Updates `weight`, `square_avg` (s, not negative), with `centered` `grad_avg` (a), with momentum `momentum_buffer`
    /// (f32, zeros before the first step), with `master` and with `ema` f32 buffers of these names, with [`NonFinite::Skip`]
    /// `skipped` (u32\[1\], + 1 for a step that was left out). All but `scale` and `skipped` hold the arena's elements. The
    /// order is PyTorch's.
    ///
    /// A negative v, which rounding can cause, is taken as 0; where the root is 0 (possible only with `eps` = 0), so is the
    /// quotient. No step number is needed. Deterministic. Scratch: 16 bytes if steps may be skipped. An empty arena is left
    /// alone and counts no step.
    ///
    /// Error: running analysis of the kernel's own operations, each at WGSL's accuracy ([`Approx`]). Centered, it is as wide
    /// as the cancellation in s - a² makes it, and where v's error exceeds v as wide as g / `eps`. Tieleman and Hinton,
    /// "Lecture 6.5", 2012; centered: Graves, "Generating sequences with recurrent neural networks", 2013.
    #[op(
        name = "rmsprop",
        summary = "RMSprop step, plain or centered, with momentum, also Nesterov, and all penalties fused in, over one tensor or an arena",
        formula = "g += coupled; s = α·s + (1-α)·g²; v = s or s - a²; buf = momentum·buf + g/(√v + eps); \
              w = prox(w - decay·w - lr·buf)",
        parse = |value| parse_optimizer::<RmsProp>(NAME, None, value)
    )]
    pub struct RmsProp {
        /// The learning rate.
        #[field(min = 0)]
        pub lr: f64,
        /// α, the decay rate of the means.
        #[field(default = 0.99, min = 0, below = 1)]
        pub alpha: f64,
        /// Keeps the quotient finite.
        #[field(default = 1e-8, min = 0)]
        pub eps: f64,
        /// Where eps is added.
        #[field(default)]
        pub eps_place: EpsPlace,
        /// Divide by the standard deviation instead of the root of the mean square.
        #[field(default)]
        pub centered: bool,
        /// The momentum; 0: no buffer.
        #[field(default, min = 0, max = 1)]
        pub momentum: f64,
        /// Nesterov momentum. Requires momentum.
        #[field(default)]
        pub nesterov: bool,
    }
}

impl RmsProp {
    /// PyTorch's defaults on one tensor of `len` elements: not centered, no momentum, no penalty.
    pub fn new(dtype: DType, len: usize, lr: f64) -> Self {
        Self::from_required(dtype, Segment::one(len), vec![Group::default()], lr)
    }

    fn optimizer(&self) -> Optimizer<'_> {
        let state: &[&str] = match (self.centered, self.momentum != 0.0) {
            (false, false) => &["square_avg"],
            (true, false) => &["square_avg", "grad_avg"],
            (false, true) => &["square_avg", "momentum_buffer"],
            (true, true) => &["square_avg", "grad_avg", "momentum_buffer"],
        };
        self.common(NAME, state, self.lr, 1)
    }
}

impl Op for RmsProp {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        self.optimizer().args()
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        adaptive::check_beta(NAME, "alpha", self.alpha)?;
        check_scalar(NAME, "eps", self.eps, [0.0, f64::INFINITY])?;
        check_scalar(NAME, "momentum", self.momentum, [0.0, 1.0])?;
        if self.nesterov && self.momentum == 0.0 {
            return Err(Error::argument(NAME, "nesterov", "is true and momentum is 0: give a momentum, or leave nesterov out"));
        }
        let variance = if self.centered { parts::optimizers::SQUARE_CENTERED } else { parts::optimizers::SQUARE_PLAIN };
        let momentum = if self.momentum == 0.0 { parts::optimizers::RATIO_PLAIN } else { parts::optimizers::RATIO_MOMENTUM };
        let [inside, outside] = self.eps_place.split(self.eps);
        self.optimizer().lower(caps, kernel!("optimizers/rmsprop"), &[variance, momentum], |words| {
            optimizer_words!(RmsPropParams, words;
                alpha: self.alpha as f32,
                fresh: (1.0 - self.alpha) as f32,
                momentum: self.momentum as f32,
                nesterov: u32::from(self.nesterov),
                eps_inside: inside as f32,
                eps_outside: outside as f32,
            )
        })
    }

    /// f32: 20 bytes an element, f16 and bf16: 14; centered and with momentum 8 more each; the gradients once more if a step
    /// may be skipped.
    fn cost(&self) -> Cost {
        self.optimizer().cost()
    }
}

#[cfg(feature = "verify")]
impl Verify for RmsProp {
    fn patterns(&self) -> Vec<Pattern> {
        let mut all = vec![Pattern::Ordinary, Pattern::Zeros, Pattern::NonFinite];
        // With eps = 0, what a device flushes to 0 decides whether there is a step: nothing is promised there.
        all.extend((self.eps > 0.0).then_some(Pattern::Tiny));
        all
    }

    /// The mean's square stays below the mean square, as it does in any run.
    fn domain(&self, arg: &Arg) -> [f64; 2] {
        match arg.name {
            "scale" => [0.5, 2.0],
            "square_avg" => [0.25, 1.0],
            "grad_avg" => [-0.4, 0.4],
            _ => [-1.0, 1.0],
        }
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        self.optimizer().fill(arg, self.domain(arg), rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (alpha, momentum, eps) = (self.alpha, self.momentum, self.eps_place.split(self.eps));
        self.optimizer().reference(args, |factor, rates, [g, w, square, second, third]| {
            let (mean, buffer) = if self.centered { (second, third) } else { (0.0, second) };
            let descent = rates.descent(factor);
            let step = reference::RmsPropStep { descent, alpha, eps, centered: self.centered, momentum, nesterov: self.nesterov };
            let (weight, square1, mean1, buffer1) = reference::rmsprop(&step, w, g, square, mean, buffer);
            // The same again as the kernel does it, for the error.
            let g = coupled(factor, rates, g, w);
            let square = Approx::sum([Approx::exact(square).scaled(alpha), g.times(g).scaled(1.0 - alpha)]);
            let mean = Approx::sum([Approx::exact(mean).scaled(alpha), g.scaled(1.0 - alpha)]);
            let variance =
                if self.centered { Approx::sum([square, mean.times(mean).negative()]).at_least_zero() } else { square };
            let ratio = adaptive::quotient(g, variance, eps);
            let buffer = if momentum == 0.0 { ratio } else { Approx::sum([Approx::exact(buffer).scaled(momentum), ratio]) };
            let direction = if self.nesterov { Approx::sum([ratio, buffer.scaled(momentum)]) } else { buffer };
            let moved = Approx { value: weight, ..regularised(rates, w, direction) };
            let square = Approx { value: square1, ..square };
            let (mean, buffer) = (Approx { value: mean1, ..mean }, Approx { value: buffer1, ..buffer });
            if self.centered { [moved, square, mean, buffer] } else { [moved, square, buffer, mean] }
        })
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    arena_cases(4, |dtype, segments, n| {
        let (ema, master, rounding) = cases::keeping(dtype, n % 5, n);
        let plain = RmsProp { segments, groups: cases::groups(), ema, master, rounding, ..RmsProp::new(dtype, 0, 0.1) };
        // A half holds no more than 65504: with v = 0, g / eps must not be past it.
        let plain = if dtype == DType::F16 { RmsProp { eps: 1e-3, ..plain } } else { plain };
        let all = RmsProp { centered: true, momentum: 0.9, eps: 1e-2, ..plain.clone() };
        let skip = NonFinite::Skip;
        // Distinct pipelines cost compile time, so each half type takes its own part of what f32 takes whole.
        Box::new(match (n % 5, dtype) {
            (0, DType::F32) => plain,
            (1, DType::F32) => {
                let inside = RmsProp { eps: 1e-3, eps_place: EpsPlace::InsideRoot, ..plain };
                RmsProp { grad_scale: -0.25, momentum: 0.5, nesterov: true, ..inside }
            }
            (2, DType::F32) => RmsProp { momentum: 0.0, alpha: 0.9, ..all },
            (3, DType::F32) => RmsProp { alpha: 0.5, eps: 0.0, non_finite: skip, ..plain },
            (_, DType::F32) => RmsProp { gpu_scale: true, non_finite: skip, ..all },
            (_, DType::F16) => RmsProp { gpu_scale: true, non_finite: skip, eps_place: EpsPlace::InsideRoot, ..all },
            _ => RmsProp { momentum: 0.9, nesterov: n % 2 == 0, ..plain },
        })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    cases::bench(elements, |dtype, segments, groups| Box::new(RmsProp { segments, groups, ..RmsProp::new(dtype, 0, 1e-3) }))
}
