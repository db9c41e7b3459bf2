//! One NAdam step. Kernel: `shaders/optimizers/nadam.wgsl`. Reference: `cpu::nadam`.
use crate::kernels::optimizer::prelude::*;

optimizer! {
    /// One NAdam step: Adam with Nesterov's momentum, which grows from step to step. μ(t) = β1 · (1 - ½ · 0.96^(t · `momentum_decay`)),
    /// M(t) = μ(1) · ... · μ(t), t = `step`:
    ///
    /// 1. m = β1·m + (1 - β1)·g, v = β2·v + (1 - β2)·g²
    /// 2. d = (1 - μ(t)) / (1 - M(t)) · g + μ(t + 1) / (1 - M(t + 1)) · m
    /// 3. w = w - decay · w - lr · d / (√(v / (1 - β2^t)) + `eps`); w = prox(w)
    ///
    /// State: `m` and `v` (v not negative; zeros before the first step). The product of the momenta, which PyTorch carries in its state, is
    /// computed on the host in f64 from `step`, in closed form: the caller counts, and `momentum_decay` and β1 are those of all steps.
    /// PyTorch's `decoupled_weight_decay` is the groups' `decay`, its other weight decay `coupled` with the half L2 form.
    ///
    /// Where the root is 0 (possible only with `eps` = 0), d / 0 is taken as 0: no gradient, no step. Dozat, "Incorporating Nesterov
    /// momentum into Adam", 2016.
    #[op(
        name = "nadam",
        summary = "NAdam step (Adam with Nesterov's momentum) with all penalties fused in, over one tensor or an arena",
        formula = "g += coupled; m, v = moments of g; d = (1-μ)/(1-M)·g + μ'/(1-M·μ')·m; w = prox(w - decay·w - lr·d/(√v̂ + eps))"
    )]
    pub struct Nadam {
        /// PyTorch's defaults on one tensor of `len` elements, step 1: no decay, no penalty.
        new(0.004, 1);
        /// The learning rate.
        #[field(min = 0)]
        pub lr: f64,
        /// β1, the decay rate of the first moment, which the momentum grows to.
        #[field(default = 0.9, min = 0, below = 1)]
        pub beta1: f64,
        /// β2, the decay rate of the second moment.
        #[field(default = 0.999, min = 0, below = 1)]
        pub beta2: f64,
        /// Keeps the quotient finite: added to the root of the corrected second moment.
        #[field(default = 1e-8, min = 0)]
        pub eps: f64,
        /// How fast the momentum grows from half of β1. PyTorch's is 0.004 by default; Keras' is always 1, so JSON must say it.
        #[field(min = 0)]
        pub momentum_decay: f64,
        /// The number of this step, counted from 1.
        #[field(min = 1)]
        pub step: u64,
    }
}

impl Nadam {
    /// What g, m and the root of v are multiplied with.
    fn factors(&self) -> [f64; 3] {
        let [now, next, product] = nadam_momentum(self.beta1, self.momentum_decay, self.step);
        let correct2 = (1.0 / reached(self.beta2, self.step)).sqrt();
        [(1.0 - now) / (1.0 - product), next / (1.0 - product * next), correct2]
    }
}

impl Rule for Nadam {
    const STATE: &'static [State] = &[("m", [-1.0, 1.0]), ("v", [0.0, 1.0])];

    fn rate(&self) -> (f64, u64) {
        (self.lr, self.step)
    }

    fn check(&self) -> Result<(), Error> {
        check_moments(NAME, [self.beta1, self.beta2], self.eps)?;
        check_scalar(NAME, "momentum_decay", self.momentum_decay, [0.0, f64::INFINITY])?;
        check_derived(NAME, "beta1", "the factor of the first moment", self.factors()[1])
    }

    fn params(&self, words: Words) -> Params {
        let (Self { beta1, beta2, eps, .. }, [along_g, along_m, correct2]) = (self, self.factors());
        optimizer_words!(words,
            beta1: f32 = *beta1, fresh1: f32 = 1.0 - beta1, beta2: f32 = *beta2, fresh2: f32 = 1.0 - beta2,
            along_g: f32 = along_g, along_m: f32 = along_m, correct2: f32 = correct2, eps: f32 = *eps,
        )
    }
}

#[cfg(feature = "verify")]
impl VerifyRule for Nadam {
    const KINDS: usize = 4;

    fn tiny(&self) -> bool {
        self.eps > 0.0
    }

    fn rule(&self, _: &Contents) -> impl Fn(&Element) -> [Approx; 4] {
        let &Self { beta1, beta2, eps, step, .. } = self;
        let momentum = reference::nadam_momentum(beta1, self.momentum_decay, step);
        let [along_g, along_m, correct2] = self.factors().map(Approx::host);
        move |at| {
            let [m, v, _] = at.state;
            let step = reference::NadamStep { descent: at.descent(), beta1, beta2, eps, step, momentum };
            let (weight, m1, v1) = reference::nadam(&step, at.weight, at.grad, m, v);
            // The same again as the kernel does it, for the error.
            let g = at.gradient();
            let m = Approx::sum([Approx::exact(m).scaled(beta1), g.scaled(1.0 - beta1)]);
            let v = Approx::sum([Approx::exact(v).scaled(beta2), g.times(g).scaled(1.0 - beta2)]);
            let root = Approx::sum([v.root().times(correct2), Approx::host(eps)]);
            let ahead = Approx::sum([g.times(along_g), m.times(along_m)]);
            let ratio = over_or_zero(ahead, root, LEAST_ROOT.max(eps * (1.0 - 1e-6)));
            after([weight, m1, v1], [at.toward(ratio), m, v])
        }
    }

    fn case(self, kind: usize, _: usize) -> Self {
        let skip = NonFinite::Skip;
        // A half holds no more than 65504: with v = 0, d / eps must not be past it.
        let plain = if self.dtype == DType::F16 { Self { eps: 1e-3, ..self } } else { self };
        match (kind, plain.dtype) {
            (0, DType::F32 | DType::F16) => plain,
            (1, DType::F32) => Self { step: u64::MAX, eps: 0.0, momentum_decay: 1.0, grad_scale: -0.25, ..plain },
            (2, DType::F32) => Self { step: 10, gpu_scale: true, non_finite: skip, ..plain },
            (_, DType::F32 | DType::F16) => Self { step: 100_000, beta1: 0.0, beta2: 0.5, momentum_decay: 0.0, ..plain },
            _ => Self { step: 2, beta1: 0.5, momentum_decay: 0.5, gpu_scale: true, non_finite: skip, ..plain },
        }
    }
}
