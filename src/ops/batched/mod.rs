mod batched_relu_dropout;
mod batched_relu_dropout_backward;

super::family! {
    batched: "Batched models",
    batched_relu_dropout::BatchedReluDropout,
    batched_relu_dropout_backward::BatchedReluDropoutBackward,
}
