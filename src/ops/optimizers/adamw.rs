//! One AdamW step. Kernel: `shaders/optimizers/adamw.wgsl`. Reference: `cpu::adamw`.
use crate::kernels::optimizer::prelude::*;

adaptive! {
    /// One AdamW step:
    ///
    /// 1. m = β1·m + (1 - β1)·g, v = β2·v + (1 - β2)·g²; u = v, with `amsgrad` the largest v so far, v_max; m̂ = m / (1 -
    ///    β1^`step`), û = u / (1 - β2^`step`)
    /// 2. w = w - decay · w - lr · m̂ / (√û + `eps`), or m̂ / √(û + `eps`) by `eps_place`; w = prox(w)
    ///
    /// With `coupled` alone: Adam with L2, as published. State: `m`, `v` and, with `amsgrad`, `v_max` (zeros before the first step);
    /// with `gpu_step` `steps` (u32\[1\], + 1 for a step that was made) is updated too, and 32 bytes of scratch are taken. The order
    /// is PyTorch's; so is AMSGrad's maximum, see [`Adam`](crate::ops::Adam).
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
    /// The quotient's error is an interval's, so it holds where v is near 0 too. Kingma and Ba, "Adam", 2015; Loshchilov and Hutter,
    /// "Decoupled weight decay regularization", 2019.
    #[op(
        name = "adamw",
        summary = "AdamW step, also with AMSGrad, with all penalties fused in, over one tensor or an arena",
        formula = "g += coupled; m, v = moments of g; w = prox(w - decay·w - lr·m̂/(√v̂ + eps))"
    )]
    pub struct Adamw {
        groups: #[field(must_give = [decay])];
    }
    decays = Some("PyTorch: 0.01, optax: 0.0001, Keras: 0.004")
}

#[cfg(feature = "verify")]
impl VerifyRule for Adamw {
    const KINDS: usize = 5;

    fn tiny(&self) -> bool {
        self.eps > 0.0
    }

    fn rule(&self, of: &Contents) -> impl Fn(&Element) -> [Approx; 4] {
        self.adaptive().rule(of)
    }

    fn case(self, kind: usize, _: usize) -> Self {
        // A half holds no more than 65504: with v = 0, m / eps must not be past it.
        let plain = if self.dtype == DType::F16 { Self { eps: 1e-3, ..self } } else { self };
        let (skip, inside) = (NonFinite::Skip, EpsPlace::InsideRoot);
        match (kind, plain.dtype) {
            (0, DType::F16) => Self { step: 2, gpu_scale: true, non_finite: skip, ..plain },
            (_, DType::F16) => {
                Self { beta1: 0.5, beta2: 0.0, gpu_scale: true, gpu_step: true, non_finite: skip, eps_place: inside, ..plain }
            }
            (0, _) => plain,
            (1, _) => Self { step: 10, grad_scale: -0.25, eps: 1e-3, eps_place: inside, ..plain },
            (2, DType::F32) => Self { gpu_step: true, amsgrad: true, gpu_scale: true, non_finite: skip, ..plain },
            (3, DType::F32) => Self { step: u64::MAX, eps: 0.0, beta2: 0.9999, non_finite: skip, ..plain },
            (4, DType::F32) => Self { gpu_step: true, beta2: 0.9999, ..plain },
            _ => Self { step: 1_000_000, beta1: 0.0, beta2: 0.5, eps: 1e-2, amsgrad: true, ..plain },
        }
    }

    fn timed(self) -> Self {
        Self { lr: 1e-3, step: 10, ..self }
    }

    /// What keeping weights in other ways costs: for all optimizers the same.
    fn timed_besides(self) -> Vec<Self> {
        let rounding = Rounding::Stochastic(Key::default());
        let average = Some(Averaging::constant(0.999));
        vec![Self { master: true, ..self.clone() }, Self { rounding, ..self.clone() }, Self { ema: average, ..self }]
    }
}
