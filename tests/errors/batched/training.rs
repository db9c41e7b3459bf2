//! Models side by side: shapes, keys, what a device cannot bind, and scalars of early stopping.
use crate::{op, refused, unbindable};
use ridgepole::{BatchedLossKind, Key, ops::*};

fn drop(models: usize, rows: usize, width: usize, first_element: u64) -> BatchedReluDropout {
    BatchedReluDropout { models, rows, width, key: Key { first_element, ..Key::default() }, training: true }
}

fn loss(models: usize, rows: usize, columns: usize) -> BatchedLoss {
    BatchedLoss { loss: BatchedLossKind::CrossEntropy, models, rows, columns }
}

fn stop(models: usize, parts: usize) -> EarlyStopping {
    EarlyStopping { models, parts, epoch: 1, patience: 1, min_delta: 0.0 }
}

fn picks(rows: usize, picks: usize, sets: usize, first_element: u64) -> BootstrapIndices {
    BootstrapIndices { rows, picks, sets, key: Key { first_element, ..Key::default() } }
}

#[test]
fn shapes() {
    let width = |name: &str| format!("{name}: `width` is 6, must be a multiple of 4: fill up the last quad with zeros");
    refused(&[
        (op(drop(2, 3, 6, 0)), &width("batched_relu_dropout")),
        (op(drop(2, 3, 6, 0).backward()), &width("batched_relu_dropout_backward")),
        (op(loss(2, 3, 0)), "batched_loss: `columns` is 0, must be from 1 to 4096"),
        (op(loss(2, 3, 4097)), "batched_loss: `columns` is 4097, must be from 1 to 4096"),
        (op(loss(2, 3, usize::MAX)), "batched_loss: `columns` is 18446744073709551615, must be from 1 to 4096"),
        (op(stop(2, 0)), "early_stopping: `parts` is 0, must be from 1 to 8192"),
        (op(stop(2, 8193)), "early_stopping: `parts` is 8193, must be from 1 to 8192"),
        (op(picks(0, 3, 2, 0)), "bootstrap_indices: `rows` is 0, must be from 1 to 2^32 - 1"),
        (op(picks(1 << 32, 3, 2, 0)), "bootstrap_indices: `rows` is 4294967296, must be from 1 to 2^32 - 1"),
        (
            op(picks(9, 0, (1 << 30) + 1, 0)),
            "bootstrap_indices: `sets` is 1073741825, must be at most 2^30: split it by first_element",
        ),
    ]);
}

#[test]
fn keys_begin_where_a_block_does_and_end_before_2_to_the_64() {
    let odd = |name: &str| format!("{name}: `key` has first_element 6, must be a multiple of 4");
    let last = u64::MAX - 3;
    refused(&[
        (op(drop(2, 3, 8, 6)), &odd("batched_relu_dropout")),
        (op(picks(9, 3, 2, 6)), &odd("bootstrap_indices")),
        (
            op(drop(2, 3, 8, last)),
            "batched_relu_dropout: `key` has first_element 18446744073709551612: with 24 elements it passes 2^64",
        ),
        (
            op(picks(9, 4, 1, last)),
            "bootstrap_indices: `key` has first_element 18446744073709551612: with 1 sets of 4 picks it passes 2^64",
        ),
        (
            op(picks(9, 1, 3, u64::MAX - (2 << 34) + 1)),
            "bootstrap_indices: `key` has first_element 18446744039349813248: with 3 sets of 1 picks it passes 2^64",
        ),
    ]);
}

#[test]
fn scalars_of_early_stopping() {
    let most = (1 << 24) + 1;
    let delta = |min_delta| op(EarlyStopping { min_delta, ..stop(2, 1) });
    refused(&[
        (
            op(EarlyStopping { epoch: most, ..stop(2, 1) }),
            "early_stopping: `epoch` is 16777217, must be at most 2^24, up to which f32 counts exactly",
        ),
        (op(EarlyStopping { patience: 0, ..stop(2, 1) }), "early_stopping: `patience` is 0, must be from 1 to 2^24"),
        (op(EarlyStopping { patience: most, ..stop(2, 1) }), "early_stopping: `patience` is 16777217, must be from 1 to 2^24"),
        (delta(-0.5), "early_stopping: `min_delta` is -0.5, must be finite in f32 and at least 0"),
        (delta(f64::NAN), "early_stopping: `min_delta` is NaN, must be finite in f32 and at least 0"),
        (delta(1e39), &format!("early_stopping: `min_delta` is {}, must be finite in f32 and at least 0", 1e39)),
    ]);
}

#[test]
fn what_a_device_must_bind_at_once() {
    let (many, huge) = (1 << 20, usize::MAX / 4 * 4);
    refused(&[
        (op(drop(many, 8, 8, 0)), &unbindable("batched_relu_dropout", 1 << 28, "x")),
        (op(drop(many, 8, 8, 0).backward()), &unbindable("batched_relu_dropout_backward", 1 << 28, "dy")),
        (op(loss(many, 8, 5)), &unbindable("batched_loss", 1 << 28, "prediction")),
        (op(stop(many, 64)), &unbindable("early_stopping", 1 << 28, "loss")),
        (op(KeepBest { models: many, len: 64 }), &unbindable("keep_best", 1 << 28, "from")),
        (op(picks(9, many, 64, 0)), &unbindable("bootstrap_indices", 1 << 28, "index")),
        // What overflows is refused, too.
        (op(drop(3, usize::MAX, huge, 0)), &unbindable("batched_relu_dropout", u64::MAX, "x")),
        (op(drop(usize::MAX, 3, 8, 0).backward()), &unbindable("batched_relu_dropout_backward", u64::MAX, "dy")),
        (op(loss(usize::MAX, usize::MAX, 5)), &unbindable("batched_loss", u64::MAX, "prediction")),
        (op(stop(usize::MAX, 5)), &unbindable("early_stopping", u64::MAX, "loss")),
        (op(KeepBest { models: 1 << 40, len: usize::MAX }), &unbindable("keep_best", 1 << 44, "state")),
        (op(KeepBest { models: 4, len: usize::MAX }), &unbindable("keep_best", u64::MAX, "from")),
        (op(picks(9, usize::MAX, 1 << 30, 0)), &unbindable("bootstrap_indices", u64::MAX, "index")),
    ]);
}

#[test]
fn more_elements_than_32_bits_number() {
    let large = ridgepole::wgpu::Limits { max_storage_buffer_binding_size: 1 << 40, ..Default::default() };
    let caps = ridgepole::Caps::new(large, ridgepole::wgpu::Features::empty(), false);
    let why = ridgepole::Op::lower(&drop(1 << 20, 1 << 4, 1 << 7, 0), &caps).expect_err("must be refused").to_string();
    let want = "batched_relu_dropout: not possible on this device: `x` has 2147483648 elements, must have fewer than 2^31";
    assert_eq!(why, want);
    let why = ridgepole::Op::lower(&loss(1 << 29, 1, 1), &caps).expect_err("must be refused").to_string();
    assert!(why.starts_with("batched_loss: not possible on this device: `prediction` has 2147483648 elements"), "{why}");
}
