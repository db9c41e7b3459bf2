//! Optimizer steps with every regularizer fused in: a whole model in one pass over its memory.
//!
//! [`Adamw`] is the usual choice for transformers, [`Sgd`] with momentum for vision models, [`Lion`] where memory is short
//! (one moment instead of two), [`Nadam`] and [`Adamax`] where their papers' results are wanted, [`Adagrad`] and [`RmsProp`] for sparse gradients and recurrent networks, [`Ftrl`] for sparse
//! linear models. Each parameter [`Group`](crate::Group) has its own learning-rate factor `lr_scale` and its own
//! regularizers, which may be combined:
//!
//! - `coupled`: the gradient of an elastic net, added before the moments (`weight_decay` of PyTorch's `Adam` and `SGD`, with
//!   [`ElasticNet::weight_decay`](crate::ElasticNet::weight_decay));
//! - `decay`: decoupled weight decay (Loshchilov and Hutter, 2019), times the learning rate or independent of it
//!   ([`DecayMode`](crate::DecayMode));
//! - `prox`: a proximal step after the update (Parikh and Boyd, 2014); L1 gives exact zeros.
//!
//! Conventions: `weight` and the optimizer's state are updated in place, in the order of [`Op::args`](crate::Op::args); state
//! is f32, zeros before the first step unless the op says otherwise. Weights may be f32, f16 or bf16, with an f32 `master`
//! copy or stochastic rounding. `step` counts from 1 and belongs to the caller; change it with
//! [`Plan::update`](crate::Plan::update), or let `gpu_step` of Adam and AdamW count on the GPU. A non-finite gradient propagates by default;
//! [`NonFinite::Skip`](crate::NonFinite::Skip) leaves the whole step out, decided on the GPU. `gpu_scale` multiplies the
//! gradients by a factor from [`GlobalNorm`](super::transforms::GlobalNorm). An average of the weights (`ema`) can be kept in
//! the same pass. Deterministic.
//!
//! # Example
//!
//! ```rust
//! use ridgepole::ops::optimizers::Sgd;
//! use ridgepole::{DType, ElasticNet, Group, Session};
//!
//! let session = Session::new()?;
//! // w - lr·g = (0.75, 0.125); the proximal step then shrinks both by lr·λ1 = 0.25.
//! let groups = vec![Group { prox: ElasticNet::l1(0.5), ..Group::default() }];
//! let sgd = Sgd { groups, ..Sgd::new(DType::F32, 2, 0.5) };
//! let (grad, weight) = (vec![0.5, 0.5].into(), vec![1.0, 0.375].into());
//! assert_eq!(session.run(&sgd, &[grad, weight])?, [vec![0.5, 0.0].into()]);
//! # Ok::<(), ridgepole::Error>(())
//! ```
//!
//! # Ops
//!
//! <!-- ops: generated, see tests/it/families.rs -->
//!
//! | op | what it computes | formula |
//! |---|---|---|
//! | [`Adagrad`]<br>`adagrad` | Adagrad step with learning-rate decay and all penalties fused in, over one tensor or an arena | `g += coupled; s += g²; lr = lr/(1 + (step-1)·lr_decay); w = prox(w - decay·w - lr·g/(√s + eps))` |
//! | [`Adam`]<br>`adam` | Adam or AMSGrad step with all penalties fused in, over one tensor or an arena | `g += coupled; m, v = moments of g; w = prox(w - decay·w - lr·m̂/(√v̂ + eps))` |
//! | [`Adamax`]<br>`adamax` | Adamax step (Adam by the largest gradient) with all penalties fused in, over one tensor or an arena | `g += coupled; m = β1·m + (1-β1)·g; u = max(β2·u, \|g\| + eps); w = prox(w - decay·w - lr·m̂/u)` |
//! | [`Adamw`]<br>`adamw` | AdamW step, also with AMSGrad, with all penalties fused in, over one tensor or an arena | `g += coupled; m, v = moments of g; w = prox(w - decay·w - lr·m̂/(√v̂ + eps))` |
//! | [`Ftrl`]<br>`ftrl` | FTRL-proximal step (sparse weights stay sparse), over one tensor or an arena | `g += coupled; z += g - (√(n+g²) - √n)/lr·w; n += g²; w = -soft(z, λ1)/((beta + √n)/lr + λ2)` |
//! | [`Lion`]<br>`lion` | Lion step (sign of the interpolated momentum) with all penalties fused in, over one tensor or an arena | `g += coupled; c = β1·m + (1-β1)·g; m = β2·m + (1-β2)·g; w = prox(w - decay·w - lr·sign(c))` |
//! | [`Nadam`]<br>`nadam` | NAdam step (Adam with Nesterov's momentum) with all penalties fused in, over one tensor or an arena | `g += coupled; m, v = moments of g; d = (1-μ)/(1-M)·g + μ'/(1-M·μ')·m; w = prox(w - decay·w - lr·d/(√v̂ + eps))` |
//! | [`RmsProp`]<br>`rmsprop` | RMSprop step, plain or centered, with momentum, also Nesterov, and all penalties fused in, over one tensor or an arena | `g += coupled; s = α·s + (1-α)·g²; v = s or s - a²; buf = momentum·buf + g/(√v + eps); w = prox(w - decay·w - lr·buf)` |
//! | [`Sgd`]<br>`sgd` | SGD step with momentum, Nesterov momentum and all penalties fused in, over one tensor or an arena | `g += coupled; buf = momentum·buf + (1-dampening)·g; w = prox(w - decay·w - lr·buf)` |
//!
//! <!-- /ops -->
mod adagrad;
mod adam;
mod adamax;
mod adamw;
mod ftrl;
mod lion;
mod nadam;
mod rmsprop;
mod sgd;

super::family! {
    optimizers: "Optimizers",
    adagrad::Adagrad,
    adam::Adam,
    adamax::Adamax,
    adamw::Adamw,
    ftrl::Ftrl,
    lion::Lion,
    nadam::Nadam,
    rmsprop::RmsProp,
    sgd::Sgd,
}
