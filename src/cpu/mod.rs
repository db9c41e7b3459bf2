//! What every op computes, in f64, written to be read: no helper is shared with the GPU side, no thought is given to speed.
mod penalty;
mod penalty_grad;
mod prox;

pub use penalty::penalty;
pub use penalty_grad::penalty_grad;
pub use prox::prox;
mod adamw;
mod penalty_grad;
mod sgd;

pub use adamw::{AdamwStep, adamw};
pub use penalty_grad::penalty_grad;
pub use sgd::{SgdStep, sgd};
