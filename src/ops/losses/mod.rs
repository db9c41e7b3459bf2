//! Losses, each with its gradient in the same pass.
//!
//! [`CrossEntropy`] is for classification, on logits, with label smoothing, class weights, an ignored class, z-loss,
//! confidence penalty and focal loss as options. [`MseLoss`], [`L1Loss`] and [`HuberLoss`] are for regression; the last two
//! are robust to outliers (Huber, 1964).
//!
//! - `reduction` is the mean by default ([`LossReduction`](crate::LossReduction)); the gradient is that of the reduced loss,
//!   times `grad_scale` (a loss scale, for f16). Without `grad`, only the loss is written.
//! - The mean over an empty tensor is 0, and so is the mean cross-entropy if every row is ignored, where PyTorch returns NaN.
//! - Conventions of squared error differ: [`MseLoss`] is the mean of (p - t)², PyTorch's; half of that is
//!   [`SquareForm::Half`](crate::SquareForm).
//! - `loss` is f32, arithmetic is f32 whatever `dtype` is; sums are formed in a fixed order, so results are deterministic.
//!
//! # Example
//!
//! ```rust
//! use ridgepole::ops::losses::{CrossEntropy, MseLoss};
//! use ridgepole::{DType, HostData, Session};
//!
//! let session = Session::new()?;
//! let (pred, target) = (vec![1.0, 3.0].into(), vec![0.0, 1.0].into());
//! // (1² + 2²)/2, and 2·(p - t)/2.
//! let out = session.run(&MseLoss::new(DType::F32, 2), &[pred, target])?;
//! assert_eq!(out, [vec![2.5].into(), vec![1.0, 2.0].into()]);
//! // One row of two equal logits; the target is class 1.
//! let (logits, class) = (vec![0.0, 0.0].into(), HostData::U32(vec![1]));
//! let out = session.run(&CrossEntropy::new(DType::F32, 1, 2), &[logits, class])?;
//! assert!((out[0].to_f64()[0] - 2f64.ln()).abs() < 1e-6);
//! assert!(out[1].to_f64().iter().zip([0.5, -0.5]).all(|(got, want)| (got - want).abs() < 1e-6));
//! # Ok::<(), ridgepole::Error>(())
//! ```
//!
//! # Ops
//!
//! <!-- ops: generated, see tests/it/families.rs -->
//!
//! | op | what it computes | formula |
//! |---|---|---|
//! | [`CrossEntropy`]<br>`cross_entropy` | softmax cross-entropy with its gradient, in one pass; label smoothing, class weights, z-loss, focal loss and more | `L = (1-p_t)^γ·Σ w·((1-ε)·t + ε/K)·(-ln p) + r·(λ·(ln Σ exp z)² - β·H(p)), p = softmax(z)` |
//! | [`MseLoss`]<br>`mse_loss` | squared error with its gradient, in one pass | `L = mean of (p - t)² (half: ½·(p - t)²)` |
//! | [`L1Loss`]<br>`l1_loss` | absolute error with its gradient, in one pass | `L = mean of \|p - t\|` |
//! | [`HuberLoss`]<br>`huber_loss` | Huber or smooth-L1 loss with its gradient, in one pass | `L = mean of ½·d² where \|d\| < δ, else δ·(\|d\| - ½·δ); d = p - t (smooth_l1: divided by δ)` |
//!
//! <!-- /ops -->
mod cross_entropy;
mod huber_loss;
mod l1_loss;
mod mse_loss;
pub(crate) mod shared;

super::family! {
    losses: "Losses",
    cross_entropy::CrossEntropy,
    mse_loss::MseLoss,
    l1_loss::L1Loss,
    huber_loss::HuberLoss,
}
