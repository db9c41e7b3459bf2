//! What every op computes, in f64, written to be read: no helper is shared with the GPU side, no thought is given to speed.
mod adamw;
mod penalty;
mod penalty_grad;
mod prox;
mod sgd;

pub use adamw::{AdamwStep, adamw};
pub use penalty::penalty;
pub use penalty_grad::penalty_grad;
pub use prox::prox;
pub use sgd::{SgdStep, sgd};
