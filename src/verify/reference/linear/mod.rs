//! Batches of linear models that share a design matrix: residuals, gradients, steps, and how far from the minimum they are.
mod duality_gap;
mod fista_step;
mod linear_gradient;
mod linear_residual;

pub use duality_gap::duality_gap;
pub use fista_step::{fista_momentum, fista_step};
pub use linear_gradient::linear_gradient;
pub use linear_residual::linear_residual;
