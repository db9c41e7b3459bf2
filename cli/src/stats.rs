//! Means, deviations and intervals.
use serde_json::{Value, json};
use statrs::distribution::{ContinuousCDF, StudentsT};

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
        // The mean of equal values, rounded, may be another one, from which they would seem to spread.
        if let Some(&first) = v.first().filter(|first| v.iter().all(|x| x == *first)) {
            return Self { mean: first, sd: 0.0 };
        }
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

/// How sure an interval is.
pub(crate) const LEVEL: f64 = 0.95;

/// A mean with its interval at [`LEVEL`], by Student's t with n - 1 degrees of freedom. Values are taken for independent draws of one
/// normal distribution; there is no interval for one value, nor for values that are all equal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// How many values there are.
    pub n: usize,
    /// Their mean; not finite if one of them is not.
    pub mean: f64,
    /// The standard deviation of the sample (÷ (n - 1)); 0 for one value, and exactly 0 for equal ones.
    pub sd: f64,
    /// Where the true mean is, and how likely a mean at least as far from 0 would be if the true one were 0.
    pub found: Option<Found>,
}

/// What a sample says of the true mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// The lower and the upper end of the interval.
    pub ends: [f64; 2],
    /// The two-sided p-value of a true mean of 0.
    pub p: f64,
}

impl Estimate {
    /// Of these values. Those no further apart than `grain` differ by rounding only: they are equal.
    pub fn of(values: &[f64], grain: f64) -> Self {
        let n = values.len();
        let MeanSd { mean, sd } = MeanSd::of(values.iter().copied());
        let equal = values.iter().all(|v| (v - values[0]).abs() <= grain);
        if !values.iter().all(|v| v.is_finite()) || equal || n < 2 {
            let mean = if equal { values.first().copied().unwrap_or(f64::NAN) } else { mean };
            return Self { n, mean, sd: if equal { 0.0 } else { sd }, found: None };
        }
        let se = sd / (n as f64).sqrt();
        let half = quantile(0.5 + 0.5 * LEVEL, n - 1) * se;
        let p = 2.0 * student(n - 1).sf((mean / se).abs());
        Self { n, mean, sd, found: Some(Found { ends: [mean - half, mean + half], p }) }
    }

    /// Half the length of the interval.
    pub fn half(&self) -> Option<f64> {
        self.found.map(|f| 0.5 * (f.ends[1] - f.ends[0]))
    }

    /// All its numbers; null where there are none.
    pub fn json(&self) -> Value {
        json!({
            "n": self.n, "mean": self.mean, "sd": self.sd, "level": LEVEL,
            "interval": self.found.map(|f| f.ends), "p": self.found.map(|f| f.p),
        })
    }
}

/// Below which a share of Student's t lies.
fn quantile(share: f64, freedom: usize) -> f64 {
    student(freedom).inverse_cdf(share)
}

fn student(freedom: usize) -> StudentsT {
    StudentsT::new(0.0, 1.0, freedom as f64).expect("there are degrees of freedom")
}

/// Which of several hypotheses, by their p-values, are rejected so that the probability of rejecting any true one is at most 1 -
/// [`LEVEL`]. Holm, "A simple sequentially rejective multiple test procedure" (1979).
pub(crate) fn holm(ps: &[f64]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..ps.len()).collect();
    order.sort_by(|&a, &b| ps[a].total_cmp(&ps[b]));
    let mut out = vec![false; ps.len()];
    for (done, &i) in order.iter().enumerate() {
        // What is no number is no proof.
        out[i] = ps[i] <= (1.0 - LEVEL) / (ps.len() - done) as f64;
        if !out[i] {
            break;
        }
    }
    out
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

    /// Quantiles at 0.975 from R's `qt`.
    #[test]
    fn quantiles_are_those_of_tables() {
        let table = [
            (1, 12.706_204_736_174_7),
            (2, 4.302_652_729_749_46),
            (3, 3.182_446_305_284_26),
            (7, 2.364_624_251_592_78),
            (11, 2.200_985_160_091_64),
            (30, 2.042_272_456_301_24),
            (999, 1.962_341_461_133_45),
        ];
        for (freedom, expected) in table {
            let found = quantile(0.975, freedom);
            assert!((found - expected).abs() < 1e-9 * expected, "{freedom}: {found}");
        }
    }

    #[test]
    fn an_interval_by_hand() {
        // Mean 2, deviation 1, three values: 2 ± 4.3027/√3; t = 2√3 has p = 0.0742 at two degrees of freedom: 1 - t/√(2 + t²).
        let e = Estimate::of(&[1.0, 2.0, 3.0], 0.0);
        let found = e.found.unwrap();
        let (half, t) = (4.302_652_729_749_46 / 3f64.sqrt(), 2.0 * 3f64.sqrt());
        assert_eq!((e.n, e.mean, e.sd), (3, 2.0, 1.0));
        assert!((found.ends[0] - (2.0 - half)).abs() < 1e-9 && (found.ends[1] - (2.0 + half)).abs() < 1e-9, "{found:?}");
        assert!((found.p - (1.0 - t / (2.0 + t * t).sqrt())).abs() < 1e-12, "{found:?}");
        assert!((e.half().unwrap() - half).abs() < 1e-9);
        // The interval has an end at 0 where p is 0.05.
        let edge = Estimate::of(&[half - 1.0, half, half + 1.0], 0.0).found.unwrap();
        assert!(edge.ends[0].abs() < 1e-9 && (edge.p - 0.05).abs() < 1e-9, "{edge:?}");
    }

    #[test]
    fn there_is_no_interval_where_nothing_spreads() {
        for values in [&[0.3][..], &[0.3; 5], &[], &[1.0, f64::NAN], &[f64::INFINITY, f64::INFINITY], &[1.0, f64::INFINITY]] {
            assert_eq!(Estimate::of(values, 0.0).found, None, "{values:?}");
        }
        // Equal but for the rounding of the scores that they come from.
        let rounded = [0.9 - 0.8, 0.4 - 0.3];
        assert_ne!(rounded[0], rounded[1]);
        let e = Estimate::of(&rounded, 1e-15);
        assert_eq!((e.found, e.sd, e.mean), (None, 0.0, rounded[0]));
        assert!(Estimate::of(&rounded, 0.0).found.is_some());
        assert!(Estimate::of(&[1.0, f64::NAN], 0.0).mean.is_nan() && Estimate::of(&[], 0.0).mean.is_nan());
        let json = Estimate::of(&[f64::NAN, 1.0], 0.0).json();
        assert!(json["mean"].is_null() && json["interval"].is_null() && json["p"].is_null() && json["n"] == 2, "{json}");
    }

    #[test]
    fn holm_steps_down_until_one_stays() {
        // Of four: 0.05/4, /3, /2, /1.
        assert_eq!(holm(&[0.04, 0.012, 0.016, 0.03]), [false, true, true, false]);
        assert_eq!(holm(&[0.04, 0.012, 0.016, 0.024]), [true; 4]);
        assert_eq!(holm(&[0.013, 0.02, 0.03, 0.04]), [false; 4], "the least is too large already");
        assert_eq!((holm(&[]), holm(&[0.05]), holm(&[f64::NAN, 0.001])), (vec![], vec![true], vec![false, true]));
    }

    /// How often an interval over `n` draws holds the true mean, in percent.
    fn coverage(n: usize, mean: f64, mut draw: impl FnMut() -> f64) -> f64 {
        const RUNS: usize = 20_000;
        let mut hits = 0;
        for _ in 0..RUNS {
            let sample: Vec<f64> = (0..n).map(|_| draw()).collect();
            let [low, high] = Estimate::of(&sample, 0.0).found.expect("draws differ").ends;
            hits += usize::from(low <= mean && mean <= high);
        }
        100.0 * hits as f64 / RUNS as f64
    }

    /// With 20,000 samples the share found has a standard deviation of 0.15 points.
    #[test]
    fn an_interval_covers_the_truth_as_often_as_it_says() {
        use rand::{RngExt, SeedableRng};
        let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(11);
        let mut uniform = move || 1.0 - rng.random::<f64>();
        for n in [2, 3, 5, 12] {
            let normal = || 3.0 + 7.0 * (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos();
            let found = coverage(n, 3.0, normal);
            assert!((found - 100.0 * LEVEL).abs() < 1.0, "normal, {n} values: {found} %");
        }
        // A difference of accuracies of 300 rows: whole counts, of which several are equal.
        let counted =
            || ((-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos() * 6.0 + 12.0).round() / 300.0;
        let found = coverage(12, 12.0 / 300.0, counted);
        assert!((found - 100.0 * LEVEL).abs() < 1.0, "counts: {found} %");
        // What a skewed distribution costs (exponential, of skewness 2): docs/study.md has these shares.
        for (n, expected) in [(2, 92.0), (3, 89.0), (12, 91.5)] {
            let found = coverage(n, 1.0, || -uniform().ln());
            assert!((found - expected).abs() < 1.5, "exponential, {n} values: {found} %");
        }
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
        assert_eq!(MeanSd::of([0.1; 10]), MeanSd { mean: 0.1, sd: 0.0 });
        assert!(MeanSd::of([f64::NAN; 2]).mean.is_nan() && MeanSd::of([]).mean.is_nan());
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
