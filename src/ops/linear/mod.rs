//! Batches of linear models that share a design matrix: residuals, gradients, steps, and how far from the minimum they are.
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
