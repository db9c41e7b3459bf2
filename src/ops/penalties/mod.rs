//! Penalties Ω(w) on weights, which regularize a model: value, gradient and proximal step.
//!
//! [`Penalty`], [`PenaltyGrad`] and [`Prox`] are the L1 penalty (lasso), the L2 penalty (ridge) and their sum (the elastic
//! net; Zou and Hastie, 2005). [`GroupLasso`] and its companions penalize the norms of whole rows, columns or filters (Yuan
//! and Lin, 2006; with an L1 term, the sparse group lasso). [`OrthogonalPenalty`] keeps rows or columns near orthonormal
//! (Bansal, Chen and Wang, 2018).
//!
//! Which to use: a *value* is for reports; a *gradient* op adds ∂Ω/∂w to the gradient of the loss. For exact zeros take the
//! *proximal step* after the optimizer's step (Parikh and Boyd, 2014), because under a subgradient weights oscillate around
//! zero. The [optimizers](super::optimizers) have all elastic-net terms built in, at no extra memory traffic, so these ops
//! are for optimizers of your own.
//!
//! - The default L2 term is λ2·Σw² with gradient 2·λ2·w, as in Keras. PyTorch's `weight_decay` is ½·λ2·Σw²:
//!   [`ElasticNet::weight_decay`](crate::ElasticNet::weight_decay).
//! - Weights are an *arena*: one buffer of many tensors ([`Segment`](crate::Segment)) or matrices
//!   ([`Matrix`](crate::Matrix)), each with the λ of its own group. A single tensor is [`Segment::one`](crate::Segment::one).
//! - Gradients are added to `grad`, and proximal steps change `weight`, in place. Everything is deterministic.
//!
//! # Example
//!
//! ```rust
//! use ridgepole::ops::penalties::{Penalty, Prox};
//! use ridgepole::{DType, ElasticNet, HostData, Segment, Session};
//!
//! let session = Session::new()?;
//! let weight = HostData::F32(vec![3.0, -0.5, -2.0, 0.0]);
//! // 1·(3 + 0.5 + 2) + 0.5·(9 + 0.25 + 4)
//! let elastic_net = Penalty::new(DType::F32, Segment::one(4), vec![ElasticNet::new(1.0, 0.5)]);
//! assert_eq!(session.run(&elastic_net, &[weight.clone()])?, [vec![12.125].into()]);
//! // A proximal step of size 1: weights up to λ1 become exact zeros, the others shrink by λ1.
//! let (segments, groups) = (Segment::one(4), vec![ElasticNet::l1(1.0)]);
//! let lasso = Prox { dtype: DType::F32, segments, groups, step: 1.0 };
//! let zeros = HostData::U32(vec![2]);
//! assert_eq!(session.run(&lasso, &[weight])?, [vec![2.0, 0.0, -1.0, 0.0].into(), zeros]);
//! # Ok::<(), ridgepole::Error>(())
//! ```
//!
//! # Ops
//!
//! <!-- ops: generated, see tests/it/families.rs -->
//!
//! | op | what it computes | formula |
//! |---|---|---|
//! | [`Penalty`]<br>`penalty` | value of an L1, L2 or elastic-net penalty, over one tensor or an arena | `Ω = λ1·Σ\|w\| + λ2·Σw²` |
//! | [`PenaltyGrad`]<br>`penalty_grad` | gradient of an L1, L2 or elastic-net penalty, added to the loss gradient, over one tensor or an arena | `g += λ1·sign(w) + 2·λ2·w` |
//! | [`Prox`]<br>`prox` | proximal step of an L1, L2 or elastic-net penalty, over one tensor or an arena; makes exact zeros and counts them | `w = sign(w)·max(\|w\| - t·λ1, 0) / (1 + 2·t·λ2)` |
//! | [`OrthogonalPenalty`]<br>`orthogonal_penalty` | soft-orthogonality penalty: how far the rows or columns of a weight are from orthonormal | `Ω = λ·‖W·Wᵀ - I‖²` |
//! | [`OrthogonalPenaltyGrad`]<br>`orthogonal_penalty_grad` | gradient of orthogonal_penalty, added to the loss gradient | `g += 4λ·(W·Wᵀ - I)·W` |
//! | [`GroupLasso`]<br>`group_lasso` | value of a group lasso or sparse group lasso over rows, columns or filters of an arena of matrices | `Ω = λ·Σ_g √d_g·‖w_g‖ + λ1·Σ\|w\|` |
//! | [`GroupLassoGrad`]<br>`group_lasso_grad` | gradient of a group lasso or sparse group lasso, added to the loss gradient, over an arena of matrices | `g += λ·√d·w/‖w_g‖ + λ1·sign(w)` |
//! | [`GroupLassoProx`]<br>`group_lasso_prox` | proximal step of a group lasso or sparse group lasso; sets whole rows, columns or filters to zero and counts them | `v = soft(w, t·λ1), w = v·max(1 - t·λ·√d/‖v_g‖, 0)` |
//!
//! <!-- /ops -->
mod group_lasso;
mod group_lasso_grad;
mod group_lasso_prox;
mod orthogonal_penalty;
mod orthogonal_penalty_grad;
mod penalty;
mod penalty_grad;
mod prox;
pub(crate) mod shared;

super::family! {
    penalties: "Penalties",
    penalty::Penalty,
    penalty_grad::PenaltyGrad,
    prox::Prox,
    orthogonal_penalty::OrthogonalPenalty,
    orthogonal_penalty_grad::OrthogonalPenaltyGrad,
    group_lasso::GroupLasso,
    group_lasso_grad::GroupLassoGrad,
    group_lasso_prox::GroupLassoProx,
}
