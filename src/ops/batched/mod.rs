//! Many small networks of one shape, trained together: each op works on all of them in one dispatch.
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
pub(crate) mod shared;

super::family! {
    batched: "Batched models",
    batched_dense::BatchedDense,
    batched_dense_weight_grad::BatchedDenseWeightGrad,
    batched_dense_input_grad::BatchedDenseInputGrad,
    batched_relu_dropout::BatchedReluDropout,
    batched_relu_dropout_backward::BatchedReluDropoutBackward,
    batched_loss::BatchedLoss,
    early_stopping::EarlyStopping,
    keep_best::KeepBest,
    gather_rows::GatherRows,
    bootstrap_indices::BootstrapIndices,
}
