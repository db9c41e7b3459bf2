//! Matrices in an arena, and what is done by their units: rows, columns, or all of a matrix.
//!
//! Three stages, each one dispatch (and one per window) for the whole arena: partial sums of each unit (`lib/unit_partials`), one
//! number for each unit (`lib/unit_coefs`), and what becomes of the elements with it (`lib/unit_map`).
mod bound;
mod cases;
mod constrain;
mod cut;
mod steps;

pub(crate) use bound::{Members, unit_norm, unit_sum};
pub(crate) use cases::{matrix_bench, matrix_cases};
pub(crate) use cut::Cut;
pub(crate) use steps::{Coefs, Map};

use crate::{
    kernels::arena::poison_gaps,
    op::{Arg, Field, Pattern, Rng},
    options::Matrix,
    types::{DType, HostData, Segment},
};

/// The matrices of an op, under its name.
#[derive(Clone, Copy)]
pub(crate) struct Units<'a> {
    pub name: &'static str,
    pub dtype: DType,
    pub matrices: &'a [Matrix],
}

pub(crate) const MATRICES: Field = Field {
    name: "matrices",
    default: "",
    about: "matrices of the arena: start (a multiple of 4), rows, cols, unit (rows, columns or whole), group",
};

impl Units<'_> {
    /// Elements of the arena.
    pub fn len(&self) -> usize {
        Matrix::arena_len(self.matrices)
    }

    /// As segments; each one's group is its number.
    pub fn segments(&self) -> Vec<Segment> {
        self.matrices.iter().enumerate().map(|(group, m)| Segment { start: m.start, len: m.len(), group }).collect()
    }

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
