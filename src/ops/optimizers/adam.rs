//! One Adam step. Kernel: `shaders/optimizers/adam.wgsl`. Reference: `cpu::adam`.
use crate::kernels::optimizer::prelude::*;

adaptive! {
    /// One Adam step:
    ///
    /// 1. m = β1·m + (1 - β1)·g, v = β2·v + (1 - β2)·g²; u = v, with `amsgrad` the largest v so far, v_max
    /// 2. w = w - decay · w - lr · m̂ / (√û + `eps`), or m̂ / √(û + `eps`) by `eps_place`, m̂ = m / (1 - β1^`step`), û = u / (1 -
    ///    β2^`step`); w = prox(w)
    ///
    /// `coupled` with the half L2 form is the `weight_decay` of PyTorch's Adam. State: `m`, `v` and, with `amsgrad`, `v_max` (v and
    /// v_max not negative; zeros before the first step); with `gpu_step` `steps` (u32\[1\], + 1 for a step that was made) is updated
    /// too, and 32 bytes of scratch are taken. The kernel is that of [`Adamw`](crate::ops::Adamw), whose remarks on bias correction,
    /// the counter and `eps` hold here too.
    ///
    /// AMSGrad follows PyTorch: the maximum is taken over v. optax takes it over v̂, which is larger in early steps. A NaN in v_max
    /// stays.
    ///
    /// Kingma and Ba, "Adam", 2015; Reddi et al., "On the convergence of Adam and beyond", 2018.
    #[op(
        name = "adam",
        summary = "Adam or AMSGrad step with all penalties fused in, over one tensor or an arena",
        formula = "g += coupled; m, v = moments of g; w = prox(w - decay·w - lr·m̂/(√v̂ + eps))"
    )]
    pub struct Adam {}
    decays = None
}

#[cfg(feature = "verify")]
impl VerifyRule for Adam {
    const KINDS: usize = 4;

    fn tiny(&self) -> bool {
        self.eps > 0.0
    }

    fn rule(&self, of: &Contents) -> impl Fn(&Element) -> [Approx; 4] {
        self.adaptive().rule(of)
    }

    fn case(self, kind: usize, _: usize) -> Self {
        // A half holds no more than 65504: with v = 0, m / eps must not be past it.
        let plain = if self.dtype == DType::F16 { Self { eps: 1e-3, ..self } } else { self };
        let max = Self { amsgrad: true, ..plain.clone() };
        let (skip, inside) = (NonFinite::Skip, EpsPlace::InsideRoot);
        match (kind, plain.dtype) {
            (0, DType::F32) => plain,
            (1, DType::F32) => Self { step: 10, grad_scale: -0.25, ..max },
            (2, DType::F32) => Self { step: 1_000_000, beta1: 0.0, beta2: 0.5, eps: 1e-2, eps_place: inside, ..plain },
            (_, DType::F32) => Self { gpu_step: true, non_finite: skip, eps: 0.5, eps_place: inside, ..max },
            (_, DType::F16) => Self { step: 2, gpu_scale: true, non_finite: skip, ..max },
            (0 | 2, _) => Self { step: 3, beta1: 0.5, beta2: 0.0, ..max },
            _ => Self { gpu_step: true, beta1: 0.5, ..plain },
        }
    }

    fn timed(self) -> Self {
        Self { lr: 1e-3, step: 10, ..self }
    }
}
