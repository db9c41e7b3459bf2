//! Many small networks of one shape, trained together.
mod batched_dense;
mod batched_dense_input_grad;
mod batched_dense_weight_grad;
mod gather_rows;

pub use batched_dense::batched_dense;
pub use batched_dense_input_grad::batched_dense_input_grad;
pub use batched_dense_weight_grad::batched_dense_weight_grad;
pub use gather_rows::gather_rows;
