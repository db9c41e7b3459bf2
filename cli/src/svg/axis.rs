//! From values to positions: linear and logarithmic axes with round ticks.

/// An axis from `from` to `to`, drawn from `start` to `end`.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    from: f64,
    to: f64,
    start: f64,
    end: f64,
    log: bool,
}

impl Axis {
    /// A linear axis over the finite ones of `values`, widened a little.
    pub fn linear(values: impl IntoIterator<Item = f64>, [start, end]: [f64; 2]) -> Self {
        let (low, high) = range(values, |_| true).unwrap_or((0.0, 1.0));
        let pad = if high > low { 0.04 * (high - low) } else { 0.5 };
        Self { from: low - pad, to: high + pad, start, end, log: false }
    }

    /// A linear axis with exactly these ends.
    pub fn exact([from, to]: [f64; 2], [start, end]: [f64; 2]) -> Self {
        Self { from, to, start, end, log: false }
    }

    /// A logarithmic axis over the positive ones of `values`.
    pub fn log(values: impl IntoIterator<Item = f64>, [start, end]: [f64; 2]) -> Self {
        let (low, high) = range(values, |v| v > 0.0).unwrap_or((0.1, 1.0));
        Self { from: low / 1.3, to: high * 1.3, start, end, log: true }
    }

    /// The position of a value; NaN where a logarithm is not defined. Values outside are drawn at the edge.
    pub fn at(&self, v: f64) -> f64 {
        let share =
            if self.log { (v / self.from).ln() / (self.to / self.from).ln() } else { (v - self.from) / (self.to - self.from) };
        self.start + share.clamp(0.0, 1.0) * (self.end - self.start)
    }

    /// Round values within the axis, about `count` of them, with their texts.
    pub fn ticks(&self, count: usize) -> Vec<(f64, String)> {
        if self.log {
            let every = ((self.to / self.from).log10() / count as f64).ceil().max(1.0) as i32;
            let powers = self.from.log10().ceil() as i32..=self.to.log10().floor() as i32;
            return powers.filter(|p| p.rem_euclid(every) == 0).map(|p| (10f64.powi(p), power(p))).collect();
        }
        let raw = (self.to - self.from) / count as f64;
        let unit = 10f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * unit).into_iter().find(|s| *s >= raw * 0.999).unwrap_or(10.0 * unit);
        let digits = (-step.log10().floor()).max(0.0) as usize;
        let first = (self.from / step).ceil() as i64;
        let last = (self.to / step).floor() as i64;
        // Adding 0 makes a negative zero positive.
        (first..=last).map(|i| (i as f64 * step, format!("{:.digits$}", i as f64 * step + 0.0))).collect()
    }
}

fn range(values: impl IntoIterator<Item = f64>, takes: impl Fn(f64) -> bool) -> Option<(f64, f64)> {
    values.into_iter().filter(|v| v.is_finite() && takes(*v)).fold(None, |r, v| match r {
        None => Some((v, v)),
        Some((low, high)) => Some((f64::min(low, v), f64::max(high, v))),
    })
}

fn power(p: i32) -> String {
    match p {
        -3..=3 => format!("{}", 10f64.powi(p)),
        _ => format!("1e{p}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let texts = |a: Axis, n| a.ticks(n).into_iter().map(|t| t.1).collect::<Vec<_>>();
        assert_eq!(texts(Axis::exact([0.0, 1.0], [0.0, 100.0]), 5), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(texts(Axis::exact([-3.0, 12.0], [0.0, 100.0]), 4), ["0", "5", "10"]);
        assert_eq!(texts(Axis::exact([-0.1, 0.1], [0.0, 1.0]), 2), ["-0.1", "0.0", "0.1"]);
        assert_eq!(texts(Axis::log([0.002, 3.0], [0.0, 1.0]), 4), ["0.01", "0.1", "1"]);
        assert_eq!(texts(Axis::log([1e-9, 1.0], [0.0, 1.0]), 3), ["1e-8", "1e-4", "1"]);
    }

    #[test]
    fn odd_values_do_not_break_it() {
        assert!(Axis::linear([], [0.0, 1.0]).at(0.5).is_finite());
        assert!(Axis::linear([f64::NAN, 2.0], [0.0, 1.0]).at(2.0).is_finite());
        assert!(Axis::log([0.0, -1.0, f64::INFINITY], [0.0, 1.0]).at(0.5).is_finite());
        assert!(Axis::log([1.0], [0.0, 1.0]).at(f64::NAN).is_nan());
        let a = Axis::exact([0.0, 10.0], [100.0, 0.0]);
        assert_eq!((a.at(0.0), a.at(10.0), a.at(99.0)), (100.0, 0.0, 0.0));
    }
}
