//! Batches of linear models: shapes, what a device cannot bind, and sums that are too long.
use crate::{op, refused, text, unbindable};
use ridgepole::{Caps, LinearModel, Op, ops::*, wgpu};

fn residual(rows: usize, features: usize, sets: usize, per_set: usize) -> LinearResidual {
    LinearResidual { model: LinearModel::Linear, rows, features, sets, per_set }
}

fn gap(rows: usize, features: usize, penalized: usize, per_set: usize) -> DualityGap {
    DualityGap { model: LinearModel::Logistic, rows, features, penalized, sets: 1, per_set, reach: 1.0 }
}

#[test]
fn shapes() {
    let features = |name: &str, n: usize| format!("{name}: `features` is {n}, must be from 1 to 4096");
    refused(&[
        (op(residual(3, 0, 1, 4)), &features("linear_residual", 0)),
        (op(LinearGradient { rows: 3, features: 4097, models: 4 }), &features("linear_gradient", 4097)),
        (op(FistaStep { features: 0, penalized: 0, models: 4 }), &features("fista_step", 0)),
        (op(gap(3, 5000, 1, 4)), &features("duality_gap", 5000)),
        (op(FistaStep { features: 3, penalized: 4, models: 4 }), "fista_step: `penalized` is 4, must be at most features, 3"),
        (op(gap(3, 3, 4, 4)), "duality_gap: `penalized` is 4, must be at most features, 3"),
    ]);
}

#[test]
fn the_reach_is_finite_and_not_negative() {
    for (reach, shown) in [(-0.5, "-0.5"), (f64::NAN, "NaN"), (1e7, "10000000")] {
        let it = DualityGap { reach, ..gap(3, 3, 2, 4) };
        assert_eq!(text(&it), format!("duality_gap: `reach` is {shown}, must be at least 0 and at most 1e6"));
    }
}

#[test]
fn what_a_device_must_bind_at_once() {
    let many = 1 << 26;
    refused(&[
        (op(residual(many, 1, 1, 1)), &unbindable("linear_residual", 1 << 28, "x")),
        (op(residual(1 << 14, 1, 1, 1 << 13)), &unbindable("linear_residual", 1 << 29, "residual")),
        (op(LinearGradient { rows: 1, features: 2, models: many }), &unbindable("linear_gradient", 1 << 28, "residual")),
        (op(FistaStep { features: 1, penalized: 1, models: many }), &unbindable("fista_step", 1 << 28, "grad")),
        (op(gap(many, 1, 1, 1)), &unbindable("duality_gap", 1 << 28, "weight")),
        // What overflows is refused, too.
        (op(residual(usize::MAX, 3, 2, 2)), &unbindable("linear_residual", u64::MAX, "x")),
    ]);
}

#[test]
fn sums_that_are_too_long_for_a_loop() {
    let large = wgpu::Limits { max_storage_buffer_binding_size: (1 << 32) - 256, ..Default::default() };
    let caps = Caps::new(large, wgpu::Features::empty(), false);
    let rows = 1 << 28;
    let it = LinearGradient { rows, features: 1, models: 1 };
    let why = it.lower(&caps).expect_err("must be refused").to_string();
    let want = "linear_gradient: not possible on this device: sums over 268435456 rows are too long, 66560 trips of a loop";
    assert_eq!(why, want);
    let why = gap(rows, 1, 1, 1).lower(&caps).expect_err("must be refused").to_string();
    assert!(why.starts_with("duality_gap: not possible on this device: 268435456 rows of 1 models are too many: "), "{why}");
}
