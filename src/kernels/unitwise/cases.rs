//! Cases of the ops on units, for the checks and the benchmarks.

use super::{Units, bound::Members};
use crate::{
    kernels::arena::poison_gaps,
    op::{Arg, Pattern, Rng, Verify, bench_shapes},
    options::{Matrix, Unit},
    types::{DType, HostData},
};
use Unit::{Columns, Rows, Whole};

#[cfg(feature = "verify")]
/// Arenas of matrices for the ops on units: every kind, on both sides of what a lane, a team and a workgroup take.
pub(crate) fn matrix_cases(groups: usize, make: impl Fn(DType, Vec<Matrix>, usize) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
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

#[cfg(feature = "verify")]
/// One matrix, each way, in each type.
pub(crate) fn matrix_bench(elements: usize, make: impl Fn(DType, Vec<Matrix>) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    let of = bench_shapes::matrix(elements, [4, 1]);
    let shapes = [Rows, Columns].map(|unit| (of.rows, of.cols, unit));
    DType::FLOATS.into_iter().flat_map(|d| shapes.map(|s| make(d, Matrix::pack(&[s], 4)))).collect()
}

impl Units<'_> {
    /// Values with NaN between the matrices, or numbers there and whole units of zeros.
    pub fn fill(&self, arg: &Arg, domain: [f64; 2], rng: &mut Rng, pattern: Pattern) -> HostData {
        let mut values = rng.fill(arg, domain, pattern).to_f64();
        if !arg.dtype.is_float() || arg.len != self.len() {
            return HostData::from_f64(arg.dtype, values);
        }
        for (n, unit) in Members::new(self).units.iter().enumerate() {
            match pattern {
                Pattern::Zeros if n % 3 == 0 => unit.iter().for_each(|&i| values[i] = [0.0, -0.0][i % 2]),
                // Few enough that one wrong element shows.
                Pattern::Zeros if n % 3 == 1 => {
                    let kept = unit.get(rng.word() as usize % unit.len().max(1)).map(|&i| (i, values[i]));
                    unit.iter().for_each(|&i| values[i] = 0.0);
                    kept.into_iter().for_each(|(i, v)| values[i] = if v == 0.0 { 0.5 } else { v });
                }
                // Most units stay without NaN and infinities, or nothing would be seen.
                Pattern::NonFinite if n % 4 != 0 => {
                    unit.iter()
                        .filter(|&&i| !values[i].is_finite())
                        .copied()
                        .collect::<Vec<_>>()
                        .into_iter()
                        .for_each(|i| values[i] = 0.25);
                }
                _ => {}
            }
        }
        let data = HostData::from_f64(arg.dtype, values);
        // What lies between the matrices must stay as it is: a NaN shows who reads it, a number who changes it.
        if pattern == Pattern::Zeros { data } else { poison_gaps(&self.segments(), data) }
    }
}
