//! Monte-Carlo dropout on the test part: the uncertainty that networks with dropout predict.
use super::{
    calibration::{Calibration, Spread, entropy, rejection, right},
    treatments::Treatment,
};
use serde_json::{Value, json};

/// Predictions of a treatment's networks for the test rows, all seeds one after the other. Probabilities of the classes, rows × classes,
/// or values in the target's own unit.
#[derive(Clone, Debug, Default)]
pub struct Predicted {
    /// Without dropout.
    pub plain: Vec<f64>,
    /// The mean over passes with dropout.
    pub mean: Vec<f64>,
    /// The unbiased variance over these passes.
    pub variance: Vec<f64>,
    /// The classes of the rows; none for values.
    pub labels: Vec<u32>,
    /// The values of the rows; none for classes.
    pub values: Vec<f64>,
}

/// The result for one treatment.
#[derive(Clone, Debug)]
pub struct MonteCarlo {
    /// Which.
    pub treatment: Treatment,
    /// Passes with dropout on.
    pub passes: u64,
    /// How well predictions and their uncertainty fit the rows.
    pub found: Found,
}

/// How well predictions and their uncertainty fit the rows.
#[derive(Clone, Debug)]
pub enum Found {
    /// For classes.
    Classes {
        /// The network without dropout.
        plain: Calibration,
        /// The mean of the passes.
        sampled: Calibration,
        /// Mean predictive variance of a row, summed over the classes.
        variance: f64,
        /// Rejection curves: by the confidence of the plain network, by the predictive entropy, by the predictive variance.
        rejection: [Vec<[f64; 2]>; 3],
    },
    /// For values.
    Values {
        /// The root of the mean squared error without dropout.
        plain_rmse: f64,
        /// The mean of the passes, with their standard deviation.
        sampled: Spread,
    },
    /// A network's output is not a number.
    Diverged,
}

/// Bins of the reliability diagram.
const BINS: usize = 10;

impl MonteCarlo {
    /// From predictions; `classes` is the number of classes, 0 for values.
    pub fn new(treatment: Treatment, passes: u64, said: &Predicted, classes: usize) -> Self {
        let all = said.plain.iter().chain(&said.mean).chain(&said.variance);
        let found = if !all.into_iter().all(|v| v.is_finite()) {
            Found::Diverged
        } else if classes == 0 {
            let n = said.values.len() as f64;
            let squares = said.plain.iter().zip(&said.values).map(|(p, v)| (p - v).powi(2)).sum::<f64>();
            let sds: Vec<f64> = said.variance.iter().map(|v| v.sqrt()).collect();
            Found::Values { plain_rmse: (squares / n).sqrt(), sampled: Spread::of(&said.mean, &sds, &said.values, BINS) }
        } else {
            let (plain, mean) = (shares(&said.plain, classes), shares(&said.mean, classes));
            let variances: Vec<f64> = said.variance.chunks_exact(classes).map(|row| row.iter().sum()).collect();
            let doubts: Vec<f64> =
                plain.chunks_exact(classes).map(|row| 1.0 - row.iter().fold(0.0, |a: f64, &b| a.max(b))).collect();
            let [plain_right, right] = [&plain, &mean].map(|p| right(p, &said.labels, classes));
            Found::Classes {
                plain: Calibration::of(&plain, &said.labels, classes, BINS),
                sampled: Calibration::of(&mean, &said.labels, classes, BINS),
                variance: variances.iter().sum::<f64>() / variances.len() as f64,
                rejection: [
                    rejection(&doubts, &plain_right),
                    rejection(&entropy(&mean, classes), &right),
                    rejection(&variances, &right),
                ],
            }
        };
        Self { treatment, passes, found }
    }

    /// All its numbers.
    pub fn json(&self) -> Value {
        let found = match &self.found {
            Found::Classes { plain, sampled, variance, rejection: [confidence, entropy, by_variance] } => json!({
                "plain": plain, "sampled": sampled, "mean_variance": variance,
                "rejection": { "confidence": confidence, "entropy": entropy, "variance": by_variance },
            }),
            Found::Values { plain_rmse, sampled } => json!({ "plain_rmse": plain_rmse, "sampled": sampled }),
            Found::Diverged => Value::Null,
        };
        json!({ "treatment": self.treatment.key(), "passes": self.passes, "found": found })
    }
}

/// Rows that add up to 1: those of the device are rounded.
fn shares(probabilities: &[f64], classes: usize) -> Vec<f64> {
    let row = |row: &[f64]| {
        let total: f64 = row.iter().sum();
        row.iter().map(|p| p / total).collect::<Vec<_>>()
    };
    probabilities.chunks_exact(classes).flat_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounded_probabilities_are_shares_again_and_nan_is_told() {
        let said = Predicted {
            plain: vec![1.000_000_1, 0.0, 0.25, 0.75],
            mean: vec![0.9, 0.100_000_1, 0.5, 0.5],
            variance: vec![0.01, 0.01, 0.25, 0.25],
            labels: vec![0, 1],
            values: Vec::new(),
        };
        let one = MonteCarlo::new(Treatment::Dropout, 5, &said, 2);
        let Found::Classes { plain, sampled, variance, rejection } = &one.found else { panic!("classes") };
        assert_eq!((plain.accuracy, sampled.accuracy), (1.0, 0.5), "the first of equals");
        assert!((variance - 0.26).abs() < 1e-12);
        assert!(rejection.iter().all(|curve| curve.len() == 2));
        assert_eq!(rejection[2], [[1.0, 0.5], [0.5, 1.0]]);
        let broken = Predicted { mean: vec![f64::NAN; 4], ..said };
        assert!(matches!(MonteCarlo::new(Treatment::Dropout, 5, &broken, 2).found, Found::Diverged));
    }
}
