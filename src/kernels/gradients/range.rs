//! Numbers brought into a range, element by element: gradients and weights alike.
use super::{Gradients, Pass};
use crate::{
    kernels::arena::ArenaWindow,
    op::{Caps, Lowered},
    options::check_scalar,
    params,
    types::{DType, Error, HostData, Segment},
    wgsl::Source,
};
#[cfg(feature = "verify")]
use crate::{
    kernels::arena::arena_cases,
    op::{Expected, Verify},
    verify::Approx,
};

params! { RangeParams { window: ArenaWindow, low: f32, high: f32 } }

/// The least and the greatest value, where there is one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ValueRange {
    pub min: Option<f64>,
    pub max: Option<f64>,
}

/// What is tried: both ends, one of them, none between.
const TRIED: [ValueRange; 5] = [
    ValueRange { min: Some(-0.3), max: Some(0.3) },
    ValueRange { min: Some(-0.1), max: Some(0.75) },
    ValueRange { min: None, max: Some(0.25) },
    ValueRange { min: Some(0.0), max: None },
    ValueRange { min: Some(0.2), max: Some(0.2) },
];

impl ValueRange {
    #[cfg(feature = "verify")]
    /// Cases of an op over arenas, each with one of the ranges.
    pub fn cases(make: impl Fn(DType, Vec<Segment>, Self) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
        arena_cases(7, |dtype, segments, n| make(dtype, segments, TRIED[n % TRIED.len()]))
    }

    /// Both ends.
    pub fn ends(&self) -> [f64; 2] {
        [self.min.unwrap_or(f64::NEG_INFINITY), self.max.unwrap_or(f64::INFINITY)]
    }

    /// The dispatches of `kernel`, a `lib/gradients/in_range` whose entry point has the op's name.
    ///
    /// # Errors
    /// Names `min` or `max`, and as [`Gradients::arena`].
    pub fn lower(&self, caps: &Caps, tensors: &Gradients, kernel: Source) -> Result<Lowered, Error> {
        let (op, [low, high]) = (tensors.name, self.ends());
        for (field, v) in [("min", self.min), ("max", self.max)] {
            v.map_or(Ok(()), |v| check_scalar(op, field, v, [f64::NEG_INFINITY, f64::INFINITY]))?;
        }
        if low > high {
            return Err(Error::argument(op, "min", format!("is {low}, must be at most max, which is {high}")));
        }
        tensors.map(caps, Pass::map(kernel, op), |window| RangeParams { window, low: low as f32, high: high as f32 }.into())
    }

    /// What the arena must hold; `clipped` is the formula.
    #[cfg(feature = "verify")]
    pub fn reference(&self, tensors: &Gradients, data: &HostData, clipped: impl Fn([f64; 2], f64) -> f64) -> Expected {
        let each = |g: f64| {
            let value = clipped(self.ends(), g);
            // A device that flushes subnormal numbers may take one below a bound of 0 for 0.
            let flushed = if g.abs() < DType::F32.least_normal() { g.abs() } else { 0.0 };
            let bound = Approx::host(value);
            if value == g { Approx::exact(g) } else { Approx { error: bound.error + flushed, ..bound } }
        };
        tensors.mapped(data, |_, g| each(g))
    }
}
