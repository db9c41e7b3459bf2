//! Many small networks of one shape, trained together.
mod batched_loss;
mod batched_relu_dropout;
mod batched_relu_dropout_backward;

pub use batched_loss::batched_loss;
pub use batched_relu_dropout::batched_relu_dropout;
pub use batched_relu_dropout_backward::batched_relu_dropout_backward;
