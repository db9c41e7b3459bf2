//! What every op computes, in f64, written to be read: no helper is shared with the GPU side, no thought is given to speed.
mod adam;
mod adamw;
mod batch_norm;
mod batch_norm_backward;
mod batch_norm_frozen_backward;
mod batch_norm_inference;
mod dropout;
mod dropout_backward;
mod penalty;
mod penalty_grad;
mod philox;
mod prox;
mod sgd;

pub use adam::adam;
pub use adamw::{AdamwStep, adamw};
pub use batch_norm::{batch_norm, inverse_std, moments};
pub use batch_norm_backward::batch_norm_backward;
pub use batch_norm_frozen_backward::batch_norm_frozen_backward;
pub use batch_norm_inference::batch_norm_inference;
pub use dropout::{dropout, keep, keeps};
pub use dropout_backward::dropout_backward;
pub use penalty::penalty;
pub use penalty_grad::penalty_grad;
pub use philox::philox;
pub use prox::prox;
pub use sgd::{SgdStep, sgd};
