//! One step of stochastic gradient descent. Kernel: `shaders/optimizers/sgd.wgsl`. Reference: `cpu::sgd`.
#[cfg(feature = "verify")]
use crate::kernels::optimizer::{coupled, regularised};
use crate::{
    kernel,
    kernels::optimizer::{
        Optimizer,
        json::parse_optimizer,
        macros::{optimizer, optimizer_params, optimizer_words},
    },
    op::{Arg, Caps, Cost, Lowered, Op},
    options::{Group, NonFinite, check_scalar},
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
    SgdParams {
        momentum: f32, fresh: f32, first_step: u32, nesterov: u32,
    }
}

optimizer! {
    /// One step of stochastic gradient descent, for one tensor or a whole model in one dispatch, with every penalty of its
    /// [`Group`](crate::options::Group)s in the same pass:
    ///
    /// 1. g = `grad_scale` · scale · grad + gradient of the coupled penalty
    /// 2. buf = `momentum` · buf + (1 - `dampening`) · g, at step 1 buf = g; then g = buf, or g + `momentum` · buf (Nesterov)
    /// 3. w = w - decay · w - lr · g, with the old w in both terms; w = prox(w)
    ///
    /// Reads `grad` and, with `gpu_scale`, `scale` (f32\[1\], on the GPU: a clip factor, the inverse of a loss scale).
    /// Updates `weight`, with momentum `momentum_buffer` (f32), with `master` and with `ema` f32 buffers of these names, with
    /// [`NonFinite::Skip`] `skipped` (u32\[1\], + 1 for a step that was left out). All but `scale` and `skipped` hold the
    /// arena's elements. Momentum, dampening and Nesterov are PyTorch's.
    ///
    /// At step 1 the previous contents of the buffer do not matter. A skipped step leaves it unchanged, so if the first step
    /// may be skipped, fill the buffer with zeros beforehand. Deterministic. Scratch: 16 bytes if steps may be skipped. An
    /// empty arena is left alone and counts no step.
    ///
    /// Error: running analysis of the kernel's own operations, each at WGSL's accuracy ([`Approx`]). Sutskever et al., "On
    /// the importance of initialization and momentum in deep learning", 2013.
    #[op(
        name = "sgd",
        summary = "SGD step with momentum, Nesterov momentum and all penalties fused in, over one tensor or an arena",
        formula = "g += coupled; buf = momentum·buf + (1-dampening)·g; w = prox(w - decay·w - lr·buf)",
        parse = |value| parse_optimizer::<Sgd>(NAME, None, value)
    )]
    pub struct Sgd {
        /// The learning rate.
        #[field(min = 0)]
        pub lr: f64,
        /// The momentum; 0: no buffer.
        #[field(default, min = 0, max = 1)]
        pub momentum: f64,
        /// The fraction of a new gradient that is left out of the buffer. Above 0, it requires momentum and excludes `nesterov`.
        #[field(default, min = 0, max = 1)]
        pub dampening: f64,
        /// Nesterov momentum. Requires momentum, and no dampening.
        #[field(default)]
        pub nesterov: bool,
        /// The number of this step, counted from 1.
        #[field(min = 1)]
        pub step: u64,
    }
}

impl Sgd {
    /// Plain descent of one tensor of `len` elements, step 1: no momentum, no penalty.
    pub fn new(dtype: DType, len: usize, lr: f64) -> Self {
        Self::from_required(dtype, Segment::one(len), vec![Group::default()], lr, 1)
    }

    fn optimizer(&self) -> Optimizer<'_> {
        self.common(NAME, if self.momentum == 0.0 { &[] } else { &["momentum_buffer"] }, self.lr, self.step)
    }

    fn check(&self) -> Result<(), Error> {
        check_scalar(NAME, "momentum", self.momentum, [0.0, 1.0])?;
        check_scalar(NAME, "dampening", self.dampening, [0.0, 1.0])?;
        if self.nesterov && self.momentum == 0.0 {
            return Err(Error::argument(NAME, "nesterov", "is true and momentum is 0: give a momentum, or leave nesterov out"));
        }
        if self.dampening > 0.0 && (self.nesterov || self.momentum == 0.0) {
            let why = format!("is {}, must be 0 without momentum and with nesterov", self.dampening);
            return Err(Error::argument(NAME, "dampening", why));
        }
        Ok(())
    }
}

impl Op for Sgd {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        self.optimizer().args()
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.check()?;
        let momentum = if self.momentum == 0.0 { parts::optimizers::MOMENTUM_NONE } else { parts::optimizers::MOMENTUM_BUFFER };
        self.optimizer().lower(caps, kernel!("optimizers/sgd"), &[momentum], |words| {
            optimizer_words!(SgdParams, words;
                momentum: self.momentum as f32,
                fresh: (1.0 - self.dampening) as f32,
                first_step: u32::from(self.step == 1),
                nesterov: u32::from(self.nesterov),
            )
        })
    }

    /// f32: 12 bytes an element, 20 with momentum; the gradients once more if a step may be skipped.
    fn cost(&self) -> Cost {
        self.optimizer().cost()
    }
}

#[cfg(feature = "verify")]
impl Verify for Sgd {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn domain(&self, arg: &Arg) -> [f64; 2] {
        if arg.name == "scale" { [0.5, 2.0] } else { [-1.0, 1.0] }
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        if arg.name == "momentum_buffer" && self.step == 1 {
            return HostData::F32(vec![f32::NAN; arg.len]);
        }
        self.optimizer().fill(arg, self.domain(arg), rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        self.optimizer().reference(args, |factor, rates, [g, w, old, _, _]| {
            let step = reference::SgdStep {
                grad_scale: factor.value,
                rate: rates.rate,
                momentum: self.momentum,
                dampening: self.dampening,
                nesterov: self.nesterov,
                first: self.step == 1,
                coupled: rates.coupled,
                decay: rates.decay,
                threshold: rates.threshold,
                divisor: rates.divisor,
            };
            let (weight, buffer) = reference::sgd(&step, w, g, old);
            let g = coupled(factor, rates, g, w);
            let mut buf = g;
            if self.momentum != 0.0 && self.step > 1 {
                buf = Approx::sum([Approx::exact(old).scaled(self.momentum), g.scaled(1.0 - self.dampening)]);
            }
            let direction = if self.nesterov { Approx::sum([g, buf.scaled(self.momentum)]) } else { buf };
            let moved = regularised(rates, w, direction);
            let none = Approx::exact(0.0);
            [Approx { value: weight, ..moved }, Approx { value: buffer, ..buf }, none, none]
        })
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    arena_cases(4, |dtype, segments, n| {
        let (ema, master, rounding) = cases::keeping(dtype, n % 6, n);
        let plain = Sgd { segments, groups: cases::groups(), ema, master, rounding, ..Sgd::new(dtype, 0, 0.1) };
        let heavy = Sgd { momentum: 0.9, grad_scale: 0.25, ..plain.clone() };
        let skip = NonFinite::Skip;
        // Distinct pipelines cost compile time, so each half type takes its own part of what f32 takes whole.
        Box::new(match (n % 6, dtype) {
            (0, DType::F32 | DType::F16) => plain,
            (1, DType::F32 | DType::F16) => Sgd { dampening: 0.3, step: 7, ..heavy },
            (2, DType::F32 | DType::F16) => Sgd { momentum: 1.0, step: u64::MAX, ..heavy },
            (3, DType::F32) => Sgd { non_finite: skip, grad_scale: -1.0, ..plain },
            (_, DType::F16) => Sgd { nesterov: true, ..heavy },
            (n, _) if n % 2 == 0 => Sgd { nesterov: true, step: 2, gpu_scale: true, non_finite: skip, ..heavy },
            _ => Sgd { dampening: 0.5, gpu_scale: true, non_finite: skip, ..heavy },
        })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    cases::bench(elements, |dtype, segments, groups| {
        Box::new(Sgd { segments, groups, momentum: 0.9, step: 2, ..Sgd::new(dtype, 0, 1e-2) })
    })
}
