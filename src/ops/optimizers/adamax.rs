//! One Adamax step. Kernel: `shaders/optimizers/adamax.wgsl`. Reference: `cpu::adamax`.
use crate::kernels::optimizer::prelude::*;

optimizer! {
    /// One Adamax step: Adam with the largest of the gradients, which fade, for their root mean square:
    ///
    /// 1. m = β1·m + (1 - β1)·g, u = max(β2·u, |g| + `eps`)
    /// 2. w = w - decay · w - lr · m / (1 - β1^`step`) / u; w = prox(w)
    ///
    /// State: `m` and `u` (u not negative; zeros before the first step). `eps` stands where PyTorch and optax have it, so that u keeps
    /// it; Keras adds it to u in the quotient alone. A NaN in u stays. Where u is 0 (possible only with `eps` = 0), m / 0 is taken as 0:
    /// no gradient, no step. The correction is computed on the host in f64; the caller counts `step`.
    ///
    /// Kingma and Ba, "Adam", 2015, section 7.1.
    #[op(
        name = "adamax",
        summary = "Adamax step (Adam by the largest gradient) with all penalties fused in, over one tensor or an arena",
        formula = "g += coupled; m = β1·m + (1-β1)·g; u = max(β2·u, |g| + eps); w = prox(w - decay·w - lr·m̂/u)"
    )]
    pub struct Adamax {
        /// PyTorch's β and eps on one tensor of `len` elements, step 1: no decay, no penalty.
        new(1);
        /// The learning rate.
        #[field(min = 0)]
        pub lr: f64,
        /// β1, the decay rate of the first moment.
        #[field(default = 0.9, min = 0, below = 1)]
        pub beta1: f64,
        /// β2, the decay rate of the largest gradient.
        #[field(default = 0.999, min = 0, below = 1)]
        pub beta2: f64,
        /// Keeps the quotient finite: added to the magnitude of each gradient.
        #[field(default = 1e-8, min = 0)]
        pub eps: f64,
        /// The number of this step, counted from 1.
        #[field(min = 1)]
        pub step: u64,
    }
}

impl Rule for Adamax {
    const STATE: &'static [State] = &[("m", [-1.0, 1.0]), ("u", [0.0, 1.0])];

    fn rate(&self) -> (f64, u64) {
        (self.lr, self.step)
    }

    fn check(&self) -> Result<(), Error> {
        check_moments(NAME, [self.beta1, self.beta2], self.eps)
    }

    fn params(&self, words: Words) -> Params {
        let Self { beta1, beta2, eps, .. } = *self;
        let (fresh1, correct1) = (1.0 - beta1, 1.0 / reached(beta1, self.step));
        optimizer_words!(words, beta1: f32 = beta1, fresh1: f32 = fresh1, beta2: f32 = beta2, correct1: f32 = correct1, eps: f32 = eps)
    }
}

#[cfg(feature = "verify")]
impl VerifyRule for Adamax {
    const KINDS: usize = 4;

    fn tiny(&self) -> bool {
        self.eps > 0.0
    }

    fn rule(&self, _: &Contents) -> impl Fn(&Element) -> [Approx; 4] {
        let &Self { beta1, beta2, eps, step, .. } = self;
        let correct = Approx::host(1.0 / reached(beta1, step));
        move |at| {
            let step = reference::AdamaxStep { descent: at.descent(), beta1, beta2, eps, step };
            let (weight, m1, u1) = reference::adamax(&step, at.weight, at.grad, at.state[0], at.state[1]);
            // The same again as the kernel does it, for the error.
            let g = at.gradient();
            let m = Approx::sum([Approx::exact(at.state[0]).scaled(beta1), g.scaled(1.0 - beta1)]);
            let old = Approx::exact(at.state[1]).scaled(beta2);
            let new = Approx::sum([Approx { value: g.value.abs(), ..g }, Approx::host(eps)]);
            // Two maxima are no further apart than what they are the maxima of.
            let u = Approx { value: u1, error: old.error.max(new.error) };
            let least = f64::from(f32::from_bits(1)).max(eps * (1.0 - 1e-6));
            after([weight, m1, u1], [at.toward(over_or_zero(m.times(correct), u, least)), m, u])
        }
    }

    fn case(self, kind: usize, _: usize) -> Self {
        let skip = NonFinite::Skip;
        // A half holds no more than 65504: with u = 0, m / eps must not be past it.
        let plain = if self.dtype == DType::F16 { Self { eps: 1e-3, ..self } } else { self };
        match (kind, plain.dtype) {
            (0, DType::F32 | DType::F16) => plain,
            (1, DType::F32) => Self { step: u64::MAX, eps: 0.0, beta2: 0.5, grad_scale: -0.25, ..plain },
            (2, DType::F32) => Self { step: 10, gpu_scale: true, non_finite: skip, ..plain },
            (_, DType::F32 | DType::F16) => Self { step: 3, beta1: 0.0, beta2: 0.0, eps: 0.25, ..plain },
            _ => Self { step: 2, beta1: 0.5, gpu_scale: true, non_finite: skip, ..plain },
        }
    }
}
