//! Constraints: radii, bounds, and limits of norms. What they all refuse of arenas and matrices is in `arenas` and `matrices`.
use crate::{op, refused};
use ridgepole::{DType, Matrix, MaxNormForm, ops::*};

#[test]
fn radii_and_bounds() {
    let boxed = |min, max| op(BoxConstraint { min, max, ..BoxConstraint::new(DType::F32, 4, 1.0) });
    refused(&[
        (op(L2Ball::new(DType::F32, 4, -0.5)), "l2_ball: `radius` is -0.5, must be finite in f32 and at least 0"),
        (op(L2Ball::new(DType::F32, 4, f64::NAN)), "l2_ball: `radius` is NaN, must be finite in f32 and at least 0"),
        (boxed(Some(f64::NAN), None), "box_constraint: `min` is NaN, must be finite in f32"),
        (boxed(None, Some(f64::INFINITY)), "box_constraint: `max` is inf, must be finite in f32"),
        (boxed(Some(0.5), Some(0.25)), "box_constraint: `min` is 0.5, must be at most max, which is 0.25"),
    ]);
}

#[test]
fn limits_of_norms() {
    let one = || Matrix::one(2, 2);
    let max_norm = |max| op(MaxNorm { dtype: DType::F32, matrices: one(), max, form: MaxNormForm::Keras });
    let unit_norm = |eps| op(UnitNorm { dtype: DType::F32, matrices: one(), eps });
    let between = |min, max, rate| op(MinMaxNorm { dtype: DType::F32, matrices: one(), min, max, rate });
    refused(&[
        (max_norm(-1.0), "max_norm: `max` is -1, must be finite in f32 and at least 0"),
        (unit_norm(0.0), &format!("unit_norm: `eps` is 0, must be finite in f32 and in {}..=1", 1e-30)),
        (between(0.5, -1.0, 1.0), &format!("min_max_norm: `max` is -1, must be finite in f32 and in 0..={}", 1e30)),
        (between(0.5, 0.25, 1.0), "min_max_norm: `min` is 0.5, must be finite in f32 and in 0..=0.25"),
        (between(0.5, 1.0, 1.5), "min_max_norm: `rate` is 1.5, must be finite in f32 and in 0..=1"),
    ]);
}
