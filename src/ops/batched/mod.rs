//! Many small networks of one shape, trained together: each op works on all of them in one dispatch.
mod batched_dense;
mod batched_dense_input_grad;
mod batched_dense_weight_grad;
mod gather_rows;

super::family! {
    batched: "Batched models",
    batched_dense::BatchedDense,
    batched_dense_weight_grad::BatchedDenseWeightGrad,
    batched_dense_input_grad::BatchedDenseInputGrad,
    gather_rows::GatherRows,
}
