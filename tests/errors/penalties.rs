//! Penalties: what they are divided by, proximal steps, groups, orthogonality. λ of arenas is in `arenas`.
use crate::{op, plain_cpu, plain_gpu, refused};
use ridgepole::{Caps, DType, ElasticNet, Gram, GroupPenalty, GroupWeighting, Matrix, Op, Per, Segment, ops::*, wgpu};

#[test]
fn a_batch_has_a_sample() {
    let (dtype, groups, per) = (DType::F32, vec![ElasticNet::l1(0.5)], Per::Batch(0));
    let why = "`per` is a batch of 0, must be at least 1: the samples that the arena holds";
    refused(&[
        (op(Penalty { per, ..Penalty::new(dtype, Segment::one(0), groups.clone()) }), &format!("penalty: {why}")),
        (op(PenaltyGrad { per, ..PenaltyGrad::new(dtype, Segment::one(4), groups) }), &format!("penalty_grad: {why}")),
    ]);
}

#[test]
fn the_proximal_step_is_finite_and_not_negative() {
    let prox = |step, l1| {
        let (dtype, segments, groups) = (DType::F32, Segment::one(4), vec![ElasticNet::NONE, ElasticNet::l1(l1)]);
        op(Prox { dtype, segments, groups, step })
    };
    refused(&[
        (prox(-1.0, 0.1), "prox: `step` is -1, must be finite and at least 0"),
        (prox(f64::NAN, 0.1), "prox: `step` is NaN, must be finite and at least 0"),
        (prox(f64::INFINITY, 0.1), "prox: `step` is inf, must be finite and at least 0"),
        (prox(1e300, 0.1), "prox: `step` is 1e300, and its product with l1 or l2 of groups[1] is past the range of f32 (3.4e38)"),
        (prox(1e30, 1e30), "prox: `step` is 1e30, and its product with l1 or l2 of groups[1] is past the range of f32 (3.4e38)"),
    ]);
}

#[test]
fn penalties_of_groups() {
    let with = |lambda, l1, step| {
        let groups = vec![GroupPenalty { lambda, l1, weighting: GroupWeighting::One }];
        op(GroupLassoProx { dtype: DType::F32, matrices: Matrix::one(2, 2), groups, step })
    };
    refused(&[
        (with(-1.0, 0.0, 0.1), "group_lasso_prox: `groups` has lambda = -1, must be finite, at least 0 and at most 1e30"),
        (with(0.0, f64::NAN, 0.1), "group_lasso_prox: `groups` has l1 = NaN, must be finite, at least 0 and at most 1e30"),
        (with(1.0, 0.0, -0.5), "group_lasso_prox: `step` is -0.5, must be finite and at least 0"),
        (
            with(1.0, 0.0, 1e39),
            "group_lasso_prox: `step` is 1e39, and its product with lambda or l1 of groups[0] is past the range of f32 (3.4e38)",
        ),
    ]);
}

fn orthogonal(dtype: DType, rows: usize, cols: usize, lambda: f64) -> [Box<dyn Op>; 2] {
    [op(OrthogonalPenalty::new(dtype, rows, cols, lambda)), op(OrthogonalPenaltyGrad::new(dtype, rows, cols, lambda))]
}

#[test]
fn lambda_of_orthogonality_is_finite_and_not_negative() {
    for (lambda, shown) in [(-0.5, "-0.5"), (f64::NAN, "NaN"), (1e300, &*format!("{}", 1e300))] {
        for it in orthogonal(DType::F32, 3, 4, lambda) {
            let want = format!("{}: `lambda` is {shown}, must be finite, at least 0 and at most 1e37", it.name());
            refused(&[(it, &want)]);
        }
    }
}

#[test]
fn shapes_and_types_of_orthogonality() {
    for it in orthogonal(DType::U32, 3, 4, 1.0) {
        let want = format!("{}: `dtype` is U32, must be f32, f16 or bf16", it.name());
        refused(&[(it, &want)]);
    }
    for it in orthogonal(DType::F16, 1 << 20, 1 << 20, 1.0) {
        let want = format!("{}: `rows` x cols is 1048576 x 1048576 elements, must be at most 2^34 - 4: split it", it.name());
        refused(&[(it, &want)]);
    }
}

#[test]
fn what_a_device_must_bind_at_once() {
    let limit = plain_gpu().limits.max_storage_buffer_binding_size;
    for it in orthogonal(DType::F32, 4, limit as usize / 16 + 4, 1.0) {
        let want = format!(
            "{}: not possible on this device: must bind {} bytes of the weight at once, max_storage_buffer_binding_size is {limit}",
            it.name(),
            limit + 64
        );
        refused(&[(it, &want)]);
    }
    for it in orthogonal(DType::F32, 10_001, 4, 1.0) {
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
    let got = it.lower(&plain_gpu()).expect_err("must be refused").to_string();
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

/// 2^20 blocks of one quad each: their partial results need 4 MiB in one binding.
#[test]
fn more_partial_results_than_a_device_can_bind_are_an_error() {
    let mut small = plain_cpu();
    small.limits.max_storage_buffer_binding_size = 1 << 20;
    let it = Penalty::new(DType::F32, Segment::pack(&[4; 1 << 20], 4), vec![ElasticNet::l1(0.5)]);
    assert_eq!(
        it.lower(&small).expect_err("must be refused").to_string(),
        "penalty: not possible on this device: needs to bind 1 x 1048576 partial results of 4 bytes at once, \
         max_storage_buffer_binding_size is 1048576"
    );
}

/// A matrix without values has a Gram matrix all the same, as large as its other side says: no size wraps to one that is allowed.
#[test]
fn a_gram_matrix_of_a_matrix_without_columns_has_a_size() {
    // 2^32 and 2^33 rows: the square, in bytes, is 0 modulo 2^64.
    for rows in [(1usize << 34) - 4, 1 << 33, 1 << 32, (1 << 30) + 4] {
        // The gradient has no element, so its op does nothing.
        let it = OrthogonalPenalty::new(DType::F32, rows, 0, 0.5);
        let error = it.lower(&plain_gpu()).expect_err("too large").to_string();
        let bytes = 4 * rows as u128 * (rows as u128).next_multiple_of(4);
        let limit = plain_gpu().limits.max_storage_buffer_binding_size;
        let want = format!(
            "orthogonal_penalty: not possible on this device: must bind {bytes} bytes of a Gram matrix of {rows} x {rows} at once, \
             max_storage_buffer_binding_size is {limit}"
        );
        assert_eq!(error, want);
    }
}
