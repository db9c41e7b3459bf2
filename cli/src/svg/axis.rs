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
    pub fn linear(values: impl IntoIterator<Item = f64>, ends: [f64; 2]) -> Self {
        let (low, high) = range(values, |_| true).unwrap_or((0.0, 1.0));
        // Where the values are one, around it: by enough that the ends of a large one differ from it.
        let pad = if high > low { 0.04 * (high - low).min(f64::MAX) } else { (0.04 * low.abs()).max(0.5) };
        let widest = |v: f64| v.clamp(f64::MIN, f64::MAX);
        Self::exact([widest(low - pad), widest(high + pad)], ends)
    }

    /// A linear axis with exactly these ends.
    pub fn exact([from, to]: [f64; 2], [start, end]: [f64; 2]) -> Self {
        Self { from, to, start, end, log: false }
    }

    /// A logarithmic axis over the positive ones of `values`.
    pub fn log(values: impl IntoIterator<Item = f64>, [start, end]: [f64; 2]) -> Self {
        let (low, high) = range(values, |v| v > 0.0).unwrap_or((0.1, 1.0));
        Self { from: (low / 1.3).max(f64::MIN_POSITIVE), to: (high * 1.3).min(f64::MAX), start, end, log: true }
    }

    /// The position of a value; NaN where a logarithm is not defined. Values outside are drawn at the edge.
    pub fn at(&self, v: f64) -> f64 {
        let share = if self.log {
            (v.ln() - self.from.ln()) / (self.to.ln() - self.from.ln())
        } else {
            // Halves, for a difference may exceed the largest number.
            (v / 2.0 - self.from / 2.0) / (self.to / 2.0 - self.from / 2.0)
        };
        // An axis without length has one place; a value that is none has no place.
        let share = if share.is_nan() && v.is_finite() && !self.log { 0.5 } else { share };
        self.start + share.clamp(0.0, 1.0) * (self.end - self.start)
    }

    /// Round values within the axis, about `count` of them, with their texts; none where there is no round one.
    pub fn ticks(&self, count: usize) -> Vec<(f64, String)> {
        let count = count.max(2) as f64;
        if self.log {
            let [low, high] = [self.from, self.to].map(f64::log10);
            let every = ((high - low) / count).ceil().max(1.0) as i32;
            let powers = low.ceil() as i32..=high.floor() as i32;
            return powers.filter(|p| p.rem_euclid(every) == 0).map(|p| (10f64.powi(p), power(p))).collect();
        }
        let raw = (self.to / count - self.from / count).max(f64::MIN_POSITIVE);
        let unit = 10f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * unit).into_iter().find(|s| *s >= raw * 0.999).unwrap_or(10.0 * unit);
        let most = self.from.abs().max(self.to.abs());
        // Neighbours that print alike, or are one number, are no scale.
        if !step.is_finite() || most * f64::EPSILON * 4.0 > step {
            return Vec::new();
        }
        let (first, last) = ((self.from / step).ceil(), (self.to / step).floor());
        let each = (0..=(last - first).max(-1.0) as i64).map(|i| (first + i as f64) * step);
        let each = each.take(if last < first { 0 } else { usize::MAX });
        // Adding 0 makes a negative zero positive.
        each.map(|v| (v, text(v + 0.0, step, most))).collect()
    }
}

/// A tick's value, with the digits that tell it from its neighbours.
fn text(v: f64, step: f64, most: f64) -> String {
    if v != 0.0 && (most >= 1e7 || step < 1e-6) {
        let digits = (v.abs().log10().floor() - step.log10().floor()).max(0.0) as usize;
        return format!("{v:.digits$e}");
    }
    if v == 0.0 && (most >= 1e7 || step < 1e-6) {
        return "0".into();
    }
    let digits = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
    format!("{v:.digits$}")
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
    fn ticks_of_huge_and_tiny_axes_tell_neighbours_apart() {
        let texts = |values: [f64; 2]| Axis::exact(values, [0.0, 1.0]).ticks(4).into_iter().map(|t| t.1).collect::<Vec<_>>();
        assert_eq!(texts([0.0, 4e18]), ["0", "1e18", "2e18", "3e18", "4e18"]);
        assert_eq!(
            texts([1e16, 1e16 + 40.0]),
            [
                "1.000000000000000e16",
                "1.000000000000001e16",
                "1.000000000000002e16",
                "1.000000000000003e16",
                "1.000000000000004e16"
            ]
        );
        assert_eq!(texts([0.0, 4e-10]), ["0", "1e-10", "2e-10", "3e-10", "4e-10"]);
    }

    #[test]
    fn an_axis_takes_any_finite_range_and_none() {
        let numbers = [0.0, 5e-324, 1e-310, 1e-16, 1.0, 1e16, 1e18, 1e19, 9.3e18, 1e300, f64::MAX];
        let all: Vec<f64> = numbers.iter().flat_map(|&v| [v, -v]).collect();
        for (&a, &b) in all.iter().flat_map(|a| all.iter().map(move |b| (a, b))) {
            for axis in [
                Axis::linear([a, b], [0.0, 100.0]),
                Axis::exact([a.min(b), a.max(b)], [0.0, 100.0]),
                Axis::log([a, b], [0.0, 100.0]),
            ] {
                let places = [a, b].map(|v| axis.at(v));
                let within = |p: f64| (0.0..=100.0).contains(&p);
                assert!(axis.log && a.min(b) <= 0.0 || places.iter().all(|p| within(*p)), "{a} {b}: {axis:?} {places:?}");
                let ticks = axis.ticks(5);
                assert!(ticks.len() <= 40, "{a} {b}: {} ticks of {axis:?}", ticks.len());
                assert!(ticks.iter().all(|(v, _)| within(axis.at(*v))), "{a} {b}: {axis:?} {ticks:?}");
                let texts: std::collections::BTreeSet<&String> = ticks.iter().map(|t| &t.1).collect();
                assert_eq!(texts.len(), ticks.len(), "{a} {b}: ticks that print alike: {ticks:?}");
            }
        }
        assert_eq!(Axis::exact([3.0, 3.0], [0.0, 100.0]).at(3.0), 50.0);
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
