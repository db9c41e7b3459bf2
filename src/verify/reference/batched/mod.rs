//! Many small networks of one shape, trained together.
mod batched_dense;
mod batched_dense_input_grad;
mod batched_dense_weight_grad;
mod batched_loss;
mod batched_relu_dropout;
mod batched_relu_dropout_backward;
mod bootstrap_indices;
mod early_stopping;
mod gather_rows;
mod keep_best;

pub use batched_dense::batched_dense;
pub use batched_dense_input_grad::batched_dense_input_grad;
pub use batched_dense_weight_grad::batched_dense_weight_grad;
pub use batched_loss::batched_loss;
pub use batched_relu_dropout::batched_relu_dropout;
pub use batched_relu_dropout_backward::batched_relu_dropout_backward;
pub use bootstrap_indices::bootstrap_indices;
pub use early_stopping::{Stopping, early_stopping};
pub use gather_rows::gather_rows;
pub use keep_best::keep_best;
