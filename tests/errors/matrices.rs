//! Arenas of matrices: what every op on their rows or columns refuses.
use crate::{op, refused};
use ridgepole::{DType, GroupPenalty, Matrix, MaxNormForm, Op, Unit, ops::*};

/// One op of each kind, with these matrices.
fn all(dtype: DType, m: &[Matrix]) -> Vec<(&'static str, Box<dyn Op>)> {
    let (m, groups) = (|| m.to_vec(), || vec![GroupPenalty::new(0.1)]);
    vec![
        ("group_lasso", op(GroupLasso { dtype, matrices: m(), groups: groups() })),
        ("group_lasso_grad", op(GroupLassoGrad { dtype, matrices: m(), groups: groups() })),
        ("group_lasso_prox", op(GroupLassoProx { dtype, matrices: m(), groups: groups(), step: 0.1 })),
        ("max_norm", op(MaxNorm { dtype, matrices: m(), max: 1.0, form: MaxNormForm::Plain })),
        ("unit_norm", op(UnitNorm { dtype, matrices: m(), eps: 1e-7 })),
        ("min_max_norm", op(MinMaxNorm { dtype, matrices: m(), min: 0.5, max: 1.0, rate: 1.0 })),
        ("adaptive_clip", op(AdaptiveClip { dtype, matrices: m(), clipping: 0.01, eps: 1e-3 })),
        ("centralize", op(Centralize { dtype, matrices: m() })),
    ]
}

fn matrix(start: usize, rows: usize, cols: usize, unit: Unit) -> Matrix {
    Matrix { start, rows, cols, unit, group: 0 }
}

#[test]
fn places_and_shapes_of_matrices() {
    use Unit::{Columns, Rows, Whole};
    let big = 1 << 20;
    for (matrices, why) in [
        (vec![matrix(2, 1, 4, Rows)], "[0] starts at element 2, not at a multiple of 4"),
        (
            vec![matrix(0, 2, 3, Rows), matrix(4, 1, 1, Columns)],
            "[1] starts at element 4, before element 6 where the one before it ends",
        ),
        (vec![matrix(0, 65536, 65536, Rows)], "[0] has 65536 x 65536 elements, must have less than 2^32"),
        (vec![matrix(0, usize::MAX, 2, Whole)], "[0] has 18446744073709551615 x 2 elements, must have less than 2^32"),
        (vec![matrix(0, 1, 1025 * big, Rows)], "[0] has 1074790400 elements in a row, must have at most 2^30"),
        (vec![matrix(0, 129 * big, 1, Columns)], "[0] has 135266304 elements in a column, must have at most 2^27"),
        (vec![matrix(0, 1025, big, Whole)], "[0] has 1074790400 elements in one unit, must have at most 2^30"),
    ] {
        for (name, op) in all(DType::F32, &matrices) {
            refused(&[(op, &format!("{name}: `matrices` {why}"))]);
        }
    }
    for (name, op) in all(DType::U32, &[]) {
        refused(&[(op, &format!("{name}: `dtype` is U32, must be f32, f16 or bf16"))]);
    }
    let stranger = [Matrix { group: 1, ..matrix(0, 2, 2, Rows) }];
    for (name, op) in all(DType::F32, &stranger).drain(..3) {
        refused(&[(op, &format!("{name}: `matrices` [0] is of group 1, and there are 1 groups"))]);
    }
}
