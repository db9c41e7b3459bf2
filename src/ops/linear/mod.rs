//! Linear and logistic models with an elastic net, fitted many at once on one design matrix: all λ and all folds of a
//! regularization path.
//!
//! An iteration is [`LinearResidual`], [`LinearGradient`], [`FistaStep`] (Beck and Teboulle, 2009, with the restart of
//! O'Donoghue and Candès, 2015); [`DualityGap`] bounds how far each model still is from its minimum, and a model whose gap is
//! below its tolerance no longer changes. This is what the command `ridgepole path` does.
//!
//! - Shapes: `x` is \[rows, features\], `coef` \[features, models\], `residual` \[rows, models\]; all f32. Neighbouring
//!   models share a set of row weights, so the folds of a cross-validation, or bootstrap samples, need no copy of `x`.
//! - The objective is Σ w·loss + λ1·Σ|b| + ½·λ2·Σb²: here the L2 term is *halved*, as in Friedman, Hastie and Tibshirani
//!   (2010), unlike in [`penalties`](super::penalties). With weights 1/n the loss is a mean.
//! - `residual` and `grad` are *minus* the derivatives. An intercept is a column of ones, placed after the first `penalized`
//!   columns.
//! - Deterministic; each op is one to a few dispatches and every buffer must fit a binding.
//!
//! # Example
//!
//! ```rust
//! use ridgepole::ops::linear::{LinearGradient, LinearResidual};
//! use ridgepole::{DType, HostData, LinearModel, Session};
//!
//! let session = Session::new()?;
//! // Two rows, two features, one model that is still zero.
//! let x = HostData::F32(vec![1.0, 2.0, 3.0, 4.0]);
//! let (target, weight, coef) = (vec![1.0, -1.0].into(), vec![0.5, 0.5].into(), vec![0.0, 0.0].into());
//! let op = LinearResidual { model: LinearModel::Linear, rows: 2, features: 2, sets: 1, per_set: 1 };
//! let out = session.run(&op, &[x.clone(), target, weight, coef])?;
//! // w·(y - 0), and then Xᵀ·r.
//! assert_eq!(out, [vec![0.5, -0.5].into()]);
//! let op = LinearGradient { rows: 2, features: 2, models: 1 };
//! assert_eq!(session.run(&op, &[x, out[0].clone()])?, [vec![-1.0, -1.0].into()]);
//! # Ok::<(), ridgepole::Error>(())
//! ```
//!
//! # Ops
//!
//! <!-- ops: generated, see tests/it/families.rs -->
//!
//! | op | what it computes | formula |
//! |---|---|---|
//! | [`LinearResidual`]<br>`linear_residual` | weighted residuals of a batch of linear or logistic models that share a design matrix | `r = w·(y - μ(X·b)), μ(z) = z or 1/(1 + exp(-z))` |
//! | [`LinearGradient`]<br>`linear_gradient` | negative loss gradients of a batch of linear models that share a design matrix, from their residuals | `g = Xᵀ·r` |
//! | [`FistaStep`]<br>`fista_step` | FISTA step with adaptive restart for a batch of elastic-net models; converged models stay unchanged | `b' = prox(p + t·g), p' = b' + (k-1)/k'·(b' - b), k' = (1 + √(1 + 4k²))/2` |
//! | [`DualityGap`]<br>`duality_gap` | upper bound on each model's suboptimality (duality gap); a stopping criterion | `Σ w·loss + λ1·Σ\|b\| + ½·λ2·Σb² - min ≤ gap` |
//!
//! <!-- /ops -->
mod duality_gap;
mod fista_step;
mod linear_gradient;
mod linear_residual;

super::family! {
    linear: "Linear models",
    linear_residual::LinearResidual,
    linear_gradient::LinearGradient,
    fista_step::FistaStep,
    duality_gap::DualityGap,
}
