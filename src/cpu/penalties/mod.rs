//! Penalties on weights: their value, their gradient, their proximal step.
mod penalty;
mod penalty_grad;
mod prox;

pub use penalty::penalty;
pub use penalty_grad::penalty_grad;
pub use prox::prox;
