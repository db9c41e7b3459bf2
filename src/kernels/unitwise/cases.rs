//! Cases of the ops on units, for the checks and the benchmarks.

use crate::{
    op::{Op, bench_shapes},
    options::{Matrix, Unit},
    types::DType,
};
use Unit::{Columns, Rows, Whole};

/// Arenas of matrices for the ops on units: every kind, on both sides of what a lane, a team and a workgroup take.
pub(crate) fn matrix_cases(groups: usize, make: impl Fn(DType, Vec<Matrix>, usize) -> Box<dyn Op>) -> Vec<Box<dyn Op>> {
    let one = |rows, cols, unit| Matrix::pack(&[(rows, cols, unit)], 4);
    let mut arenas = vec![
        one(1, 1, Rows),
        one(7, 3, Rows),
        one(3, 7, Columns),
        one(257, 9, Rows),
        one(9, 257, Columns),
        one(1000, 40, Columns),
        one(3, 5001, Rows),
        one(3, 2501, Columns),
        // A row, and a column, of several parts on every device.
        one(2, 20_002, Rows),
        one(1, 20_004, Whole),
        one(5003, 3, Columns),
        one(2100, 8, Columns),
        // All units start at multiples of four.
        one(60, 64, Rows),
        one(60, 64, Columns),
        one(0, 5, Rows),
        vec![],
        Matrix::pack(
            &[
                (5, 7, Rows),
                (0, 3, Columns),
                (4, 3, Columns),
                (1, 2049, Whole),
                (70, 33, Columns),
                (9, 0, Rows),
                (31, 12, Rows),
                (3, 1, Whole),
            ],
            4,
        ),
        Matrix::pack(&[(3, 5, Columns), (12, 100, Rows), (100, 12, Columns), (1, 1, Rows)], 128),
        Matrix::pack(&[(8, 4, Columns), (4, 8, Rows), (2, 600, Rows)], 4),
        Matrix::pack(&[(2, 3, Rows); 150], 4),
    ];
    for (i, m) in arenas.iter_mut().flatten().enumerate() {
        m.group = i % groups;
    }
    let mut out = Vec::new();
    for dtype in DType::FLOATS {
        for matrices in &arenas {
            out.push(make(dtype, matrices.clone(), out.len()));
        }
    }
    out
}

/// One matrix, each way, in each type.
pub(crate) fn matrix_bench(elements: usize, make: impl Fn(DType, Vec<Matrix>) -> Box<dyn Op>) -> Vec<Box<dyn Op>> {
    let of = bench_shapes::matrix(elements, [4, 1]);
    let shapes = [Rows, Columns].map(|unit| (of.rows, of.cols, unit));
    DType::FLOATS.into_iter().flat_map(|d| shapes.map(|s| make(d, Matrix::pack(&[s], 4)))).collect()
}
