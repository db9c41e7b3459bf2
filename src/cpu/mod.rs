//! What every op computes, in f64, written to be read: no helper is shared with the GPU side, no thought is given to speed.
mod adamw;
mod dropout;
mod dropout_backward;
mod penalty;
mod penalty_grad;
mod philox;
mod prox;
mod sgd;

pub use adamw::{AdamwStep, adamw};
pub use dropout::{dropout, keep, keeps};
pub use dropout_backward::dropout_backward;
pub use penalty::penalty;
pub use penalty_grad::penalty_grad;
pub use philox::philox;
pub use prox::prox;
pub use sgd::{SgdStep, sgd};
