//! Many small networks of one shape, trained together.
mod batched_loss;
mod batched_relu_dropout;
mod batched_relu_dropout_backward;
mod bootstrap_indices;
mod early_stopping;
mod keep_best;

pub use batched_loss::batched_loss;
pub use batched_relu_dropout::batched_relu_dropout;
pub use batched_relu_dropout_backward::batched_relu_dropout_backward;
pub use bootstrap_indices::bootstrap_indices;
pub use early_stopping::{Stopping, early_stopping};
pub use keep_best::keep_best;
