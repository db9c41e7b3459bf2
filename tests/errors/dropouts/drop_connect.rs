//! DropConnect.
use crate::{op, refused};
use ridgepole::{DType, Key, ops::*};

/// The same mistake in the forward op and in both kinds of the backward op.
fn all(change: impl Fn(&mut DropConnect), want: &str) {
    let mut forward = DropConnect::new(DType::F32, [3, 4], 0.5, Key::default());
    change(&mut forward);
    let written = DropConnectBackward { accumulate: false, ..forward.backward() };
    refused(&[
        (op(written), &format!("drop_connect_backward: {want}")),
        (op(forward.backward()), &format!("drop_connect_backward: {want}")),
        (op(forward), &format!("drop_connect: {want}")),
    ]);
}

#[test]
fn matrices_probabilities_and_keys_of_drop_connect() {
    let at = |first_element| Key { first_element, ..Key::default() };
    all(|d| d.dtype = DType::U32, "`dtype` is U32, must be f32, f16 or bf16");
    for (p, shown) in [(1.5, "1.5"), (-0.1, "-0.1"), (f64::NAN, "NaN")] {
        all(|d| d.p = p, &format!("`p` is {shown}, must be in 0..=1: the probability of dropping an element"));
    }
    for (rows, cols) in [(1 << 20, 1 << 15), (usize::MAX, 2), (usize::MAX, 0)] {
        let want = format!("`rows` is {rows} for {cols} columns: must be at most 2^34 - 4 weights, split by key.first_element");
        all(|d| (d.rows, d.cols, d.bias) = (rows, cols, true), &want);
    }
    let want = "`key` has first_element 6, must be a multiple of 4 below 2^62: with a bias, rows are whole";
    all(|d| (d.bias, d.key) = (true, at(6)), want);
    let want = "`key` has first_element 4611686018427387904, must be a multiple of 4 below 2^62: with a bias, rows are whole";
    all(|d| (d.bias, d.key) = (true, at(1 << 62)), want);
    let want = "`key` has first_element 18446744073709551612: with 12 elements it passes 2^64";
    all(|d| d.key = at(u64::MAX - 3), want);
}
