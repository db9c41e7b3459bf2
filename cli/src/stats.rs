//! Means and deviations.
use serde_json::{Value, json};

/// A mean, and how far values are from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanSd {
    /// The mean.
    pub mean: f64,
    /// The standard deviation of the sample (÷ (n - 1)); 0 for one value.
    pub sd: f64,
}

impl MeanSd {
    /// Of these values.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let v: Vec<f64> = values.into_iter().collect();
        let n = v.len() as f64;
        let mean = v.iter().sum::<f64>() / n;
        let sd = if v.len() < 2 { 0.0 } else { (v.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt() };
        Self { mean, sd }
    }

    /// As JSON.
    pub fn json(self) -> Value {
        json!({ "mean": self.mean, "sd": self.sd })
    }
}

/// Where values lie and how far they spread (÷ n), over the whole range of f64: in a unit of their own, a power of two, so that no square
/// overflows or vanishes, and from the first of them, so that a large mean costs no digits. Equal values, and only they, have no spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Standard {
    unit: f64,
    base: f64,
    mean: f64,
    sd: f64,
}

impl Standard {
    /// Of these values, which are finite, or NaN where one is missing: that counts as the mean of the others. Without any, all are alike.
    pub(crate) fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let rows = values.clone().count() as f64;
        let values = values.filter(|v| !v.is_nan());
        let unit = power_of_two(values.clone().fold(0.0, |most: f64, v| most.max(v.abs())));
        let base = values.clone().next().unwrap_or(0.0) / unit;
        let from_base = values.map(|v| v / unit - base);
        let (n, sum) = from_base.clone().fold((0.0, 0.0), |(n, sum), d| (n + 1.0, sum + d));
        let mean = sum / n;
        let equal = from_base.clone().all(|d| d == 0.0);
        let sd = if equal { 0.0 } else { (from_base.map(|d| (d - mean).powi(2)).sum::<f64>() / rows).sqrt() };
        Self { unit, base, mean: if equal { 0.0 } else { mean }, sd }
    }

    /// The mean.
    pub(crate) fn mean(&self) -> f64 {
        (self.base + self.mean) * self.unit
    }

    /// The standard deviation.
    pub(crate) fn sd(&self) -> f64 {
        self.sd * self.unit
    }

    /// Whether all values are equal.
    pub(crate) fn constant(&self) -> bool {
        self.sd == 0.0
    }

    /// How many standard deviations a value is above the mean; 0 if there is no spread, or no value (NaN).
    pub(crate) fn apply(&self, v: f64) -> f64 {
        if self.constant() || v.is_nan() { 0.0 } else { (v / self.unit - self.base - self.mean) / self.sd }
    }
}

/// The greatest power of two that is at most `v`; 1 for 0.
fn power_of_two(v: f64) -> f64 {
    const EXPONENT: u64 = 0x7ff0_0000_0000_0000;
    match v.to_bits() {
        0 => 1.0,
        bits if bits & EXPONENT == 0 => f64::from_bits(1 << bits.ilog2()),
        bits => f64::from_bits(bits & EXPONENT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Standard {
        Standard::of(values.iter().copied())
    }

    #[test]
    fn equal_values_and_only_they_have_no_deviation() {
        // Their mean, rounded, is not 0.1.
        assert_ne!([0.1; 10].iter().sum::<f64>() / 10.0, 0.1);
        let same = of(&[0.1; 10]);
        assert_eq!((same.mean(), same.sd(), same.constant(), same.apply(5.0)), (0.1, 0.0, true, 0.0));
        let two = of(&[1.0, 3.0]);
        assert_eq!((two.mean(), two.sd(), two.apply(4.0)), (2.0, 1.0, 2.0));
        assert!(of(&[0.0, -0.0]).constant());
        // The closest neighbours there are, at either end of the range and at its middle.
        for v in [1.0f64, 1.6e9, 1e300, f64::MAX.next_down(), f64::MIN_POSITIVE, 5e-324, -1.6e9] {
            let near = of(&[v, v.next_up(), v, v.next_up()]);
            assert!(!near.constant(), "{v:e}");
            assert_eq!([v, v.next_up()].map(|v| near.apply(v)), [-1.0, 1.0], "{v:e}");
        }
        assert_eq!(MeanSd::of([1.0, 3.0]), MeanSd { mean: 2.0, sd: 2f64.sqrt() });
        assert_eq!(MeanSd::of([7.0]), MeanSd { mean: 7.0, sd: 0.0 });
    }

    #[test]
    fn a_missing_value_is_the_mean_of_those_that_are_known() {
        let gaps = of(&[f64::NAN, 1.0, f64::NAN, 2.0, 4.5]);
        let filled = of(&[2.5, 1.0, 2.5, 2.0, 4.5]);
        assert_eq!((gaps.mean(), gaps.apply(f64::NAN)), (2.5, 0.0));
        assert!((gaps.sd() / filled.sd() - 1.0).abs() < 1e-15 && (gaps.apply(1.0) - filled.apply(1.0)).abs() < 1e-15);
        for alike in [of(&[f64::NAN, 3.0, 3.0]), of(&[f64::NAN; 3]), of(&[])] {
            assert!(alike.constant() && alike.apply(7.0) == 0.0 && alike.mean().is_finite());
        }
    }

    #[test]
    fn nothing_overflows_or_vanishes() {
        let plain = of(&[1.0, 2.0, 4.0]);
        for unit in [1e300, 1e-300, 1e160, 1e-160, 1e-49, 2f64.powi(1021), 2f64.powi(-1070)] {
            let scaled = of(&[1.0 * unit, 2.0 * unit, 4.0 * unit]);
            assert!((scaled.apply(4.0 * unit) - plain.apply(4.0)).abs() < 1e-14, "{unit:e}");
            assert!((scaled.sd() / unit - plain.sd()).abs() < 0.02, "{unit:e}");
        }
        let wide = of(&[f64::MAX, -f64::MAX]);
        assert_eq!([wide.mean(), wide.apply(f64::MAX), wide.apply(-f64::MAX)], [0.0, 1.0, -1.0]);
        let both = of(&[1e300, 1e-300, 0.0, -1e300]);
        assert!((both.apply(1e300) - 2f64.sqrt()).abs() < 1e-15 && both.apply(0.0) == both.apply(1e-300));
    }
}
