//! Penalties on weights: their value, their gradient, their proximal step.
mod group_lasso;
mod group_lasso_grad;
mod group_lasso_prox;
mod orthogonal_penalty;
mod orthogonal_penalty_grad;
mod penalty;
mod penalty_grad;
mod prox;

pub use group_lasso::group_lasso;
pub use group_lasso_grad::group_lasso_grad;
pub use group_lasso_prox::group_lasso_prox;
pub use orthogonal_penalty::orthogonal_penalty;
pub use orthogonal_penalty_grad::orthogonal_penalty_grad;
pub use penalty::penalty;
pub use penalty_grad::penalty_grad;
pub use prox::prox;
