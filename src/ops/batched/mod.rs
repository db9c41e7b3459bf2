//! Many small networks of one shape, trained together: layers, losses, stopping, samples.
mod batched_loss;
mod batched_relu_dropout;
mod batched_relu_dropout_backward;
mod bootstrap_indices;
mod early_stopping;
mod keep_best;

super::family! {
    batched: "Batched models",
    batched_relu_dropout::BatchedReluDropout,
    batched_relu_dropout_backward::BatchedReluDropoutBackward,
    batched_loss::BatchedLoss,
    early_stopping::EarlyStopping,
    keep_best::KeepBest,
    bootstrap_indices::BootstrapIndices,
}
