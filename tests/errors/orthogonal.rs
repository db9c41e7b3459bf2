//! Soft orthogonality: λ, shapes, types, and matrices that a device cannot bind.
use super::{caps, op, refused};
use ridgepole::{Caps, DType, Gram, Op, ops::*, wgpu};

fn both(dtype: DType, rows: usize, cols: usize, lambda: f64) -> [Box<dyn Op>; 2] {
    [op(OrthogonalPenalty::new(dtype, rows, cols, lambda)), op(OrthogonalPenaltyGrad::new(dtype, rows, cols, lambda))]
}

#[test]
fn lambda_is_finite_and_not_negative() {
    for (lambda, shown) in [(-0.5, "-0.5"), (f64::NAN, "NaN"), (1e300, &*format!("{}", 1e300))] {
        for it in both(DType::F32, 3, 4, lambda) {
            let want = format!("{}: `lambda` is {shown}, must be finite, at least 0 and at most 1e37", it.name());
            refused(&[(it, &want)]);
        }
    }
}

#[test]
fn shapes_and_types() {
    for it in both(DType::U32, 3, 4, 1.0) {
        let want = format!("{}: `dtype` is U32, must be f32, f16 or bf16", it.name());
        refused(&[(it, &want)]);
    }
    for it in both(DType::F16, 1 << 20, 1 << 20, 1.0) {
        let want = format!("{}: `rows` x cols is 1048576 x 1048576 elements, must be at most 2^34: split it", it.name());
        refused(&[(it, &want)]);
    }
}

#[test]
fn what_a_device_must_bind_at_once() {
    let limit = caps().limits.max_storage_buffer_binding_size;
    for it in both(DType::F32, 4, limit as usize / 16 + 4, 1.0) {
        let want = format!(
            "{}: not possible on this device: must bind {} bytes of the weight at once, max_storage_buffer_binding_size is {limit}",
            it.name(),
            limit + 64
        );
        refused(&[(it, &want)]);
    }
    for it in both(DType::F32, 10_001, 4, 1.0) {
        let want = format!(
            "{}: not possible on this device: must bind {} bytes of a Gram matrix of 10001 x 10001 at once, \
             max_storage_buffer_binding_size is {limit}",
            it.name(),
            10_001u64 * 10_004 * 4
        );
        refused(&[(it, &want)]);
    }
    // Few enough columns; but a product of whole quads, twice the weight in f16, must lie in one binding with the matrix.
    let it = OrthogonalPenaltyGrad { gram: Gram::Columns, ..OrthogonalPenaltyGrad::new(DType::F16, 1 << 24, 3, 1.0) };
    let got = it.lower(&caps()).expect_err("must be refused").to_string();
    let start = "orthogonal_penalty_grad: not possible on this device: must bind ";
    let end = " bytes of a Gram matrix and a product at once, max_storage_buffer_binding_size is 134217728";
    assert!(got.starts_with(start) && got.ends_with(end), "{got}");
}

#[test]
fn sums_that_are_too_long_for_a_loop() {
    let large = wgpu::Limits { max_storage_buffer_binding_size: (1 << 32) - 256, ..Default::default() };
    let caps = Caps::new(large, wgpu::Features::empty(), false);
    let it = OrthogonalPenalty::new(DType::F16, 32_000, 64_000, 1.0);
    assert_eq!(
        it.lower(&caps).expect_err("must be refused").to_string(),
        "orthogonal_penalty: not possible on this device: sums of 64000 products for a Gram matrix of 32000 x 32000 are too long, \
         16250 trips of a loop"
    );
}
