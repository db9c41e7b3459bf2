//! One RMSprop step. Kernel: `shaders/optimizers/rmsprop.wgsl`. Reference: `cpu::rmsprop`.
use crate::kernels::optimizer::prelude::*;

optimizer! {
    /// One RMSprop step:
    ///
    /// 1. s = `alpha`·s + (1 - `alpha`)·g²; v = s, with `centered` v = s - a², a = `alpha`·a + (1 - `alpha`)·g
    /// 2. d = g / (√v + `eps`) or g / √(v + `eps`) by `eps_place`; with momentum buf = `momentum`·buf + d, and d = buf, or d +
    ///    `momentum`·buf (Nesterov, as optax)
    /// 3. w = w - decay · w - lr · d; w = prox(w)
    ///
    /// State: `square_avg` (s, not negative), with `centered` `grad_avg` (a), with momentum `momentum_buffer`; zeros before the first
    /// step. The order is PyTorch's. A negative v, which rounding can cause, is taken as 0; where the root is 0 (possible only with
    /// `eps` = 0), so is the quotient. No step number is needed.
    ///
    /// Centered, the error is as wide as the cancellation in s - a² makes it, and where v's error exceeds v as wide as g / `eps`.
    /// Tieleman and Hinton, "Lecture 6.5", 2012; centered: Graves, "Generating sequences with recurrent neural networks", 2013.
    #[op(
        name = "rmsprop",
        summary = "RMSprop step, plain or centered, with momentum, also Nesterov, and all penalties fused in, over one tensor or an arena",
        formula = "g += coupled; s = α·s + (1-α)·g²; v = s or s - a²; buf = momentum·buf + g/(√v + eps); \
              w = prox(w - decay·w - lr·buf)"
    )]
    pub struct RmsProp {
        /// PyTorch's defaults on one tensor of `len` elements: not centered, no momentum, no penalty.
        new();
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

impl Rule for RmsProp {
    /// The mean's square stays below the mean square, as it does in any run.
    const STATE: &'static [State] = &[("square_avg", [0.25, 1.0]), ("grad_avg", [-0.4, 0.4]), ("momentum_buffer", [-1.0, 1.0])];

    fn keeps(&self, state: &str) -> bool {
        match state {
            "grad_avg" => self.centered,
            "momentum_buffer" => self.momentum != 0.0,
            _ => true,
        }
    }

    fn rate(&self) -> (f64, u64) {
        (self.lr, 1)
    }

    fn check(&self) -> Result<(), Error> {
        check_beta(NAME, "alpha", self.alpha)?;
        check_scalar(NAME, "eps", self.eps, [0.0, f64::INFINITY])?;
        check_scalar(NAME, "momentum", self.momentum, [0.0, 1.0])?;
        if self.nesterov && self.momentum == 0.0 {
            return Err(Error::argument(NAME, "nesterov", "is true and momentum is 0: give a momentum, or leave nesterov out"));
        }
        Ok(())
    }

    fn parts(&self) -> Vec<Source> {
        vec![
            if self.centered { parts::optimizers::SQUARE_CENTERED } else { parts::optimizers::SQUARE_PLAIN },
            if self.momentum == 0.0 { parts::optimizers::RATIO_PLAIN } else { parts::optimizers::RATIO_MOMENTUM },
        ]
    }

    fn params(&self, words: Words) -> Params {
        let [inside, outside] = self.eps_place.split(self.eps);
        optimizer_words!(words,
            alpha: f32 = self.alpha,
            fresh: f32 = 1.0 - self.alpha,
            momentum: f32 = self.momentum,
            nesterov: u32 = self.nesterov,
            eps_inside: f32 = inside,
            eps_outside: f32 = outside,
        )
    }
}

#[cfg(feature = "verify")]
impl VerifyRule for RmsProp {
    const KINDS: usize = 5;

    fn tiny(&self) -> bool {
        self.eps > 0.0
    }

    fn rule(&self, _: &Contents) -> impl Fn(&Element) -> [Approx; 4] {
        let Self { alpha, momentum, centered, nesterov, .. } = *self;
        let eps = self.eps_place.split(self.eps);
        move |at| {
            let [square, mean, buffer] = at.state;
            let step = reference::RmsPropStep { descent: at.descent(), alpha, eps, centered, momentum, nesterov };
            let (weight, square1, mean1, buffer1) = reference::rmsprop(&step, at.weight, at.grad, square, mean, buffer);
            // The same again as the kernel does it, for the error.
            let g = at.gradient();
            let square = Approx::sum([Approx::exact(square).scaled(alpha), g.times(g).scaled(1.0 - alpha)]);
            let mean = Approx::sum([Approx::exact(mean).scaled(alpha), g.scaled(1.0 - alpha)]);
            let variance = if centered { Approx::sum([square, mean.times(mean).negative()]).at_least_zero() } else { square };
            let ratio = quotient(g, variance, eps);
            let buffer = if momentum == 0.0 { ratio } else { Approx::sum([Approx::exact(buffer).scaled(momentum), ratio]) };
            let direction = if nesterov { Approx::sum([ratio, buffer.scaled(momentum)]) } else { buffer };
            after([weight, square1, mean1, buffer1], [at.toward(direction), square, mean, buffer])
        }
    }

    fn case(self, kind: usize, n: usize) -> Self {
        // A half holds no more than 65504: with v = 0, g / eps must not be past it.
        let plain = if self.dtype == DType::F16 { Self { eps: 1e-3, ..self } } else { self };
        let all = Self { centered: true, momentum: 0.9, eps: 1e-2, ..plain.clone() };
        let (skip, inside) = (NonFinite::Skip, EpsPlace::InsideRoot);
        match (kind, plain.dtype) {
            (0, DType::F32) => plain,
            (1, DType::F32) => Self { eps: 1e-3, eps_place: inside, grad_scale: -0.25, momentum: 0.5, nesterov: true, ..plain },
            (2, DType::F32) => Self { momentum: 0.0, alpha: 0.9, ..all },
            (3, DType::F32) => Self { alpha: 0.5, eps: 0.0, non_finite: skip, ..plain },
            (_, DType::F32) => Self { gpu_scale: true, non_finite: skip, ..all },
            (_, DType::F16) => Self { gpu_scale: true, non_finite: skip, eps_place: inside, ..all },
            _ => Self { momentum: 0.9, nesterov: n.is_multiple_of(2), ..plain },
        }
    }

    fn timed(self) -> Self {
        Self { lr: 1e-3, ..self }
    }
}
