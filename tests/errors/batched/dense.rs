//! Dense layers of many models: shapes, and what a device cannot bind.
use crate::{op, refused, unbindable};
use ridgepole::ops::*;

fn dense(models: usize, rows: usize, inputs: usize, outputs: usize) -> BatchedDense {
    BatchedDense { models, rows, inputs, outputs, bias: true }
}

fn weight_grad(models: usize, rows: usize, inputs: usize, outputs: usize) -> BatchedDenseWeightGrad {
    BatchedDenseWeightGrad { models, rows, inputs, outputs, bias: true }
}

fn input_grad(models: usize, rows: usize, inputs: usize, outputs: usize) -> BatchedDenseInputGrad {
    BatchedDenseInputGrad { models, rows, inputs, outputs, bias: true }
}

#[test]
fn widths_are_whole_quads() {
    let width = |name: &str, field: &str, n: usize| {
        format!("{name}: `{field}` is {n}, must be a multiple of 4 from 4 to 32768: fill up with zeros")
    };
    refused(&[
        (op(dense(2, 3, 0, 4)), &width("batched_dense", "inputs", 0)),
        (op(dense(2, 3, 4, 10)), &width("batched_dense", "outputs", 10)),
        (op(dense(2, 3, 32772, 4)), &width("batched_dense", "inputs", 32772)),
        (op(dense(0, 0, 4, 5)), &width("batched_dense", "outputs", 5)),
        (op(weight_grad(2, 3, 6, 4)), &width("batched_dense_weight_grad", "inputs", 6)),
        (op(input_grad(2, 3, 4, 1)), &width("batched_dense_input_grad", "outputs", 1)),
        (op(GatherRows { rows: 3, columns: 7, picks: 2 }), &width("gather_rows", "columns", 7)),
    ]);
}

#[test]
fn rows() {
    let why = |n: usize| format!("batched_dense_weight_grad: `rows` is {n}, must be from 1 to 8192");
    refused(&[
        (op(weight_grad(2, 0, 4, 4)), &why(0)),
        (op(weight_grad(2, 8193, 4, 4)), &why(8193)),
        (op(GatherRows { rows: 0, columns: 4, picks: 2 }), "gather_rows: `rows` is 0, must be at least 1"),
    ]);
}

#[test]
fn what_a_device_must_bind_at_once() {
    let many = 1 << 23;
    refused(&[
        (op(dense(many, 1, 8, 4)), &unbindable("batched_dense", 1 << 28, "x")),
        (op(dense(many, 1, 4, 4)), &unbindable("batched_dense", 5 << 27, "w")),
        (op(dense(1, many, 4, 8)), &unbindable("batched_dense", 1 << 28, "y")),
        (op(weight_grad(1 << 14, 64, 4, 64)), &unbindable("batched_dense_weight_grad", 1 << 28, "dy")),
        (op(weight_grad(1 << 16, 1, 60, 60)), &unbindable("batched_dense_weight_grad", (61 * 60) << 18, "dw")),
        (op(input_grad(1, many, 8, 4)), &unbindable("batched_dense_input_grad", 1 << 28, "gate")),
        (op(GatherRows { rows: 1 << 24, columns: 4, picks: 1 }), &unbindable("gather_rows", 1 << 28, "source")),
        (op(GatherRows { rows: 1, columns: 4, picks: 1 << 26 }), &unbindable("gather_rows", 1 << 28, "order")),
        (op(GatherRows { rows: 1, columns: 64, picks: 1 << 20 }), &unbindable("gather_rows", 1 << 28, "out")),
        // What overflows is refused, too.
        (op(dense(usize::MAX, 3, 4, 4)), &unbindable("batched_dense", u64::MAX, "x")),
        (op(dense(usize::MAX, 0, 4, 4)), &unbindable("batched_dense", u64::MAX, "w")),
        (op(weight_grad(1 << 60, 8, 4, 4)), &unbindable("batched_dense_weight_grad", u64::MAX, "x")),
        (op(input_grad(3, usize::MAX / 4, 4, 4)), &unbindable("batched_dense_input_grad", u64::MAX, "dy")),
        (op(GatherRows { rows: usize::MAX, columns: 4, picks: 1 }), &unbindable("gather_rows", u64::MAX, "source")),
    ]);
}
