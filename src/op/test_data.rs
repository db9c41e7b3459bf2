//! Test data: a seeded generator that draws the contents of arguments.
use crate::{
    op::{Arg, Pattern},
    types::{DType, HostData},
};
use rand::{RngExt, SeedableRng};

/// Draws data for checks and benches; the same seed gives the same data everywhere.
pub struct Rng(rand_pcg::Pcg64Mcg);

impl Rng {
    /// A generator.
    pub fn new(seed: u64) -> Self {
        Self(rand_pcg::Pcg64Mcg::seed_from_u64(seed))
    }

    /// Uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        self.0.random()
    }

    /// Uniform over all words.
    pub fn word(&mut self) -> u32 {
        self.0.random()
    }

    /// Contents for `arg` of this kind, ordinary values being uniform in `[lo, hi)`.
    ///
    /// Words (`U32`) are uniform whatever the pattern.
    pub fn fill(&mut self, arg: &Arg, [lo, hi]: [f64; 2], pattern: Pattern) -> HostData {
        if arg.dtype == DType::U32 {
            return HostData::U32((0..arg.len).map(|_| self.word()).collect());
        }
        let constant = lo + (hi - lo) * self.unit();
        let values: Vec<f64> = (0..arg.len)
            .map(|_| {
                let v = lo + (hi - lo) * self.unit();
                let kind = self.word() % 8;
                match pattern {
                    Pattern::Ordinary => v,
                    Pattern::Constant => constant,
                    Pattern::Zeros if kind < 2 => 0.0,
                    Pattern::Zeros if kind == 2 && lo < 0.0 => -0.0,
                    Pattern::Offset => constant + 1e4 * (hi - lo) + v,
                    Pattern::Tiny if kind < 6 => v * arg.dtype.least_normal() * [1.0, 0.01][kind as usize % 2],
                    Pattern::NonFinite if kind == 0 => f64::NAN,
                    Pattern::NonFinite if kind == 1 => f64::INFINITY,
                    Pattern::NonFinite if kind == 2 && lo < 0.0 => f64::NEG_INFINITY,
                    _ => v,
                }
            })
            .collect();
        HostData::from_f64(arg.dtype, values)
    }
}
