//! One Lion step. Kernel: `shaders/optimizers/lion.wgsl`. Reference: `cpu::lion`.
use crate::kernels::optimizer::prelude::*;

optimizer! {
    /// One Lion step:
    ///
    /// 1. c = β1·m + (1 - β1)·g, m = β2·m + (1 - β2)·g
    /// 2. w = w - decay · w - lr · sign(c); w = prox(w)
    ///
    /// State: `m` (zeros before the first step). The paper's weight decay is the groups' decoupled one. sign(0) = 0; a NaN stays NaN.
    /// No step number is needed: Lion has no bias correction.
    ///
    /// Where c is within its error of 0, either sign is possible on any device: the weight is then certain only to 2·lr. Chen et al.,
    /// "Symbolic discovery of optimization algorithms", 2023.
    #[op(
        name = "lion",
        summary = "Lion step (sign of the interpolated momentum) with all penalties fused in, over one tensor or an arena",
        formula = "g += coupled; c = β1·m + (1-β1)·g; m = β2·m + (1-β2)·g; w = prox(w - decay·w - lr·sign(c))"
    )]
    pub struct Lion {
        /// Lion with the usual β on one tensor of `len` elements: no decay, no penalty.
        new();
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

impl Rule for Lion {
    const STATE: &'static [State] = &[("m", [-1.0, 1.0])];
    const DECAYS: Option<&'static str> = Some("optax: 0.001, Keras: none");

    fn rate(&self) -> (f64, u64) {
        (self.lr, 1)
    }

    fn check(&self) -> Result<(), Error> {
        check_beta(NAME, "beta1", self.beta1)?;
        check_beta(NAME, "beta2", self.beta2)
    }

    fn params(&self, words: Words) -> Params {
        let Self { beta1, beta2, .. } = *self;
        optimizer_words!(words, beta1: f32 = beta1, fresh1: f32 = 1.0 - beta1, beta2: f32 = beta2, fresh2: f32 = 1.0 - beta2)
    }
}

#[cfg(feature = "verify")]
impl VerifyRule for Lion {
    const KINDS: usize = 4;

    fn rule(&self, _: &Contents) -> impl Fn(&Element) -> [Approx; 4] {
        let Self { beta1, beta2, .. } = *self;
        move |at| {
            let (step, m) = (reference::LionStep { descent: at.descent(), beta1, beta2 }, at.state[0]);
            let (weight, moment) = reference::lion(&step, at.weight, at.grad, m);
            let mean = |beta: f64| Approx::sum([Approx::exact(m).scaled(beta), at.gradient().scaled(1.0 - beta)]);
            after([weight, moment], [at.toward(mean(beta1).sign()), mean(beta2)])
        }
    }

    fn case(self, kind: usize, _: usize) -> Self {
        let skip = NonFinite::Skip;
        match (kind, self.dtype) {
            (0, DType::F32 | DType::F16) => self,
            (1, DType::F32 | DType::F16) => Self { beta1: 0.0, grad_scale: -0.25, ..self },
            (2, DType::F32) => Self { gpu_scale: true, non_finite: skip, ..self },
            (_, DType::F32 | DType::F16) => Self { beta1: 0.5, beta2: 0.0, ..self },
            _ => Self { gpu_scale: true, non_finite: skip, grad_scale: 0.5, ..self },
        }
    }

    fn timed(self) -> Self {
        Self { lr: 1e-4, ..self }
    }
}
