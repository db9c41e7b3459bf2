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

/// Mean and standard deviation (÷ n), from deviations, so that a large mean costs no digits. The deviation of equal values is exactly 0,
/// which a mean that was rounded would not give.
pub(crate) fn moments(values: impl Iterator<Item = f64> + Clone) -> [f64; 2] {
    if let Some(first) = values.clone().next()
        && values.clone().all(|v| v == first)
    {
        return [first, 0.0];
    }
    let (n, sum) = values.clone().fold((0.0, 0.0), |(n, sum), v| (n + 1.0, sum + v));
    let mean = sum / n;
    [mean, (values.map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_no_deviation() {
        // Their mean, rounded, is not 0.1.
        assert_ne!([0.1; 10].iter().sum::<f64>() / 10.0, 0.1);
        assert_eq!(moments([0.1; 10].into_iter()), [0.1, 0.0]);
        assert_eq!(moments([1.0, 3.0].into_iter()), [2.0, 1.0]);
        assert_eq!(MeanSd::of([1.0, 3.0]), MeanSd { mean: 2.0, sd: 2f64.sqrt() });
        assert_eq!(MeanSd::of([7.0]), MeanSd { mean: 7.0, sd: 0.0 });
    }
}
