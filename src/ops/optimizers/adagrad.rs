//! One Adagrad step. Kernel: `shaders/optimizers/adagrad.wgsl`. Reference: `cpu::adagrad`.
use crate::kernels::optimizer::prelude::*;

optimizer! {
    /// One Adagrad step:
    ///
    /// 1. s = s + g²
    /// 2. lr = `lr` / (1 + (`step` - 1) · `lr_decay`)
    /// 3. w = w - decay · w - lr · g / (√s + `eps`), or g / √(s + `eps`) by `eps_place`; w = prox(w), with step lr. Decay and prox use
    ///    the decayed lr.
    ///
    /// State: `sum` (s, not negative; before the first step it holds the initial accumulator, 0 in PyTorch and 0.1 in optax by
    /// default). The order is PyTorch's. Where the root is 0 (possible only with `eps` = 0), the quotient is taken as 0: no gradient,
    /// no step.
    ///
    /// Duchi et al., "Adaptive subgradient methods for online learning and stochastic optimization", 2011.
    #[op(
        name = "adagrad",
        summary = "Adagrad step with learning-rate decay and all penalties fused in, over one tensor or an arena",
        formula = "g += coupled; s += g²; lr = lr/(1 + (step-1)·lr_decay); w = prox(w - decay·w - lr·g/(√s + eps))"
    )]
    pub struct Adagrad {
        /// PyTorch's defaults on one tensor of `len` elements, step 1: no learning-rate decay, no penalty.
        new(1);
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

impl Rule for Adagrad {
    const STATE: &'static [State] = &[("sum", [0.0, 1.0])];

    fn rate(&self) -> (f64, u64) {
        (self.lr / (1.0 + self.step.saturating_sub(1) as f64 * self.lr_decay), self.step)
    }

    fn check(&self) -> Result<(), Error> {
        for (field, v) in [("lr", self.lr), ("lr_decay", self.lr_decay), ("eps", self.eps)] {
            check_scalar(NAME, field, v, [0.0, f64::INFINITY])?;
        }
        check_derived(NAME, "lr_decay", "lr / (1 + (step - 1) · lr_decay)", self.rate().0)
    }

    fn params(&self, words: Words) -> Params {
        let [inside, outside] = self.eps_place.split(self.eps);
        optimizer_words!(words, eps_inside: f32 = inside, eps_outside: f32 = outside)
    }
}

#[cfg(feature = "verify")]
impl VerifyRule for Adagrad {
    const KINDS: usize = 5;

    fn tiny(&self) -> bool {
        self.eps > 0.0
    }

    fn rule(&self, _: &Contents) -> impl Fn(&Element) -> [Approx; 4] {
        let eps = self.eps_place.split(self.eps);
        move |at| {
            let step = reference::AdagradStep { descent: at.descent(), eps };
            let (weight, sum1) = reference::adagrad(&step, at.weight, at.grad, at.state[0]);
            // The same again as the kernel does it, for the error.
            let g = at.gradient();
            let sum = Approx::sum([Approx::exact(at.state[0]), g.times(g)]);
            after([weight, sum1], [at.toward(quotient(g, sum, eps)), sum])
        }
    }

    fn case(self, kind: usize, _: usize) -> Self {
        // A half holds no more than 65504: with s = 0, g / eps must not be past it.
        let plain = if self.dtype == DType::F16 { Self { eps: 1e-3, ..self } } else { self };
        let inside = Self { eps: 1e-3, eps_place: EpsPlace::InsideRoot, lr_decay: 0.5, ..plain.clone() };
        let skip = NonFinite::Skip;
        match (kind, plain.dtype) {
            (0, DType::F32 | DType::F16) => plain,
            (1, DType::F32 | DType::F16) => Self { step: 3, grad_scale: -0.25, ..inside },
            (2, DType::F32) => Self { step: 4, gpu_scale: true, non_finite: skip, ..inside },
            (3, DType::F32) => Self { eps: 0.0, non_finite: skip, ..plain },
            (_, DType::F32 | DType::F16) => Self { step: u64::MAX, lr_decay: 1e-3, ..plain },
            _ => Self { step: 7, gpu_scale: true, non_finite: skip, ..inside },
        }
    }

    fn timed(self) -> Self {
        Self { lr: 1e-2, ..self }
    }
}
