//! One step of stochastic gradient descent. Kernel: `shaders/optimizers/sgd.wgsl`. Reference: `cpu::sgd`.
use crate::kernels::optimizer::prelude::*;

optimizer! {
    /// One step of stochastic gradient descent:
    ///
    /// 1. buf = `momentum` · buf + (1 - `dampening`) · g, at step 1 buf = g; then g = buf, or g + `momentum` · buf (Nesterov)
    /// 2. w = w - decay · w - lr · g; w = prox(w)
    ///
    /// State: with momentum `momentum_buffer`. Momentum, dampening and Nesterov are PyTorch's. At step 1 the previous contents of the
    /// buffer do not matter. A skipped step leaves it unchanged, so if the first step may be skipped, fill the buffer with zeros
    /// beforehand.
    ///
    /// Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.
    #[op(
        name = "sgd",
        summary = "SGD step with momentum, Nesterov momentum and all penalties fused in, over one tensor or an arena",
        formula = "g += coupled; buf = momentum·buf + (1-dampening)·g; w = prox(w - decay·w - lr·buf)"
    )]
    pub struct Sgd {
        /// Plain descent of one tensor of `len` elements, step 1: no momentum, no penalty.
        new(1);
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

impl Rule for Sgd {
    const STATE: &'static [State] = &[("momentum_buffer", [-1.0, 1.0])];

    fn keeps(&self, _: &str) -> bool {
        self.momentum != 0.0
    }

    fn rate(&self) -> (f64, u64) {
        (self.lr, self.step)
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

    fn parts(&self) -> Vec<Source> {
        vec![if self.momentum == 0.0 { parts::optimizers::MOMENTUM_NONE } else { parts::optimizers::MOMENTUM_BUFFER }]
    }

    fn params(&self, words: Words) -> Params {
        optimizer_words!(words,
            momentum: f32 = self.momentum,
            fresh: f32 = 1.0 - self.dampening,
            first_step: u32 = self.step == 1,
            nesterov: u32 = self.nesterov,
        )
    }
}

#[cfg(feature = "verify")]
impl VerifyRule for Sgd {
    const KINDS: usize = 6;

    fn overwrites(&self, _: &str) -> bool {
        self.step == 1
    }

    fn rule(&self, _: &Contents) -> impl Fn(&Element) -> [Approx; 4] {
        let Self { momentum, dampening, nesterov, .. } = *self;
        let first = self.step == 1;
        move |at| {
            let reference::Descent { grad_scale, rate, coupled, decay, threshold, divisor } = at.descent();
            let step =
                reference::SgdStep { grad_scale, rate, momentum, dampening, nesterov, first, coupled, decay, threshold, divisor };
            let (weight, buffer) = reference::sgd(&step, at.weight, at.grad, at.state[0]);
            // The same again as the kernel does it, for the error.
            let g = at.gradient();
            let mut buf = g;
            if momentum != 0.0 && !first {
                buf = Approx::sum([Approx::exact(at.state[0]).scaled(momentum), g.scaled(1.0 - dampening)]);
            }
            let direction = if nesterov { Approx::sum([g, buf.scaled(momentum)]) } else { buf };
            after([weight, buffer], [at.toward(direction), buf])
        }
    }

    fn case(self, kind: usize, _: usize) -> Self {
        let heavy = Self { momentum: 0.9, grad_scale: 0.25, ..self.clone() };
        let skip = NonFinite::Skip;
        match (kind, self.dtype) {
            (0, DType::F32 | DType::F16) => self,
            (1, DType::F32 | DType::F16) => Self { dampening: 0.3, step: 7, ..heavy },
            (2, DType::F32 | DType::F16) => Self { momentum: 1.0, step: u64::MAX, ..heavy },
            (3, DType::F32) => Self { non_finite: skip, grad_scale: -1.0, ..self },
            (_, DType::F16) => Self { nesterov: true, ..heavy },
            (n, _) if n % 2 == 0 => Self { nesterov: true, step: 2, gpu_scale: true, non_finite: skip, ..heavy },
            _ => Self { dampening: 0.5, gpu_scale: true, non_finite: skip, ..heavy },
        }
    }

    fn timed(self) -> Self {
        Self { lr: 1e-2, momentum: 0.9, step: 2, ..self }
    }
}
