//! Losses and their gradients.
mod cross_entropy;
mod huber_loss;
mod l1_loss;
mod mse_loss;

pub use cross_entropy::cross_entropy;
pub use huber_loss::huber_loss;
pub use l1_loss::l1_loss;
pub use mse_loss::mse_loss;
