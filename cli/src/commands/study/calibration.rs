//! How reliable probabilities are: calibration (Guo et al. 2017), and uncertainty from passes with dropout left on (Gal and
//! Ghahramani 2016).
//!
//! Probabilities are rows × classes, row after row, each row with the sum 1. All functions are deterministic and work in f64.
use serde::Serialize;

/// Rows whose top probability is within a bin.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bin {
    /// Where the bin begins; what lies there belongs to it.
    pub from: f64,
    /// Where it ends; what lies there belongs to the next, but 1 to the last.
    pub to: f64,
    /// Rows in it.
    pub count: usize,
    /// Mean top probability; 0 without rows.
    pub confidence: f64,
    /// Share of rows whose top class is right; 0 without rows.
    pub accuracy: f64,
}

/// How well probabilities agree with outcomes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// Rows.
    pub rows: usize,
    /// Share of rows whose top class is right.
    pub accuracy: f64,
    /// Expected calibration error: the mean distance of confidence and accuracy over the bins, weighted by their rows; from 0 to 1.
    pub ece: f64,
    /// Mean negative logarithm of the probability of the right class, in nats; infinite where that was 0.
    pub nll: f64,
    /// Mean squared distance from the right class, summed over the classes; from 0 to 2.
    pub brier: f64,
    /// Bins of equal width over the top probability.
    pub bins: Vec<Bin>,
}

impl Calibration {
    /// Of these probabilities, in so many bins: 10 or 15 are usual.
    ///
    /// # Panics
    /// Without rows or bins, if there are not rows × `classes` probabilities, one is not in [0, 1], or a label is no class.
    pub fn of(probabilities: &[f64], labels: &[u32], classes: usize, bins: usize) -> Self {
        assert!(!labels.is_empty() && bins > 0, "rows and bins are needed");
        assert_eq!(probabilities.len(), labels.len() * classes, "probabilities are rows x classes");
        assert!(probabilities.iter().all(|p| (0.0..=1.0).contains(p)), "probabilities are from 0 to 1");
        assert!(labels.iter().all(|&l| (l as usize) < classes), "a label is none of {classes} classes");
        let n = labels.len() as f64;
        let mut sums = vec![(0usize, 0.0, 0usize); bins];
        let (mut nll, mut brier, mut right) = (0.0, 0.0, 0);
        for (row, &label) in probabilities.chunks_exact(classes).zip(labels) {
            let top = top(row);
            let bin = &mut sums[((row[top] * bins as f64) as usize).min(bins - 1)];
            let hit = usize::from(top == label as usize);
            *bin = (bin.0 + 1, bin.1 + row[top], bin.2 + hit);
            right += hit;
            nll -= row[label as usize].ln();
            let target = |c: usize| f64::from(u8::from(c == label as usize));
            brier += row.iter().enumerate().map(|(c, p)| (p - target(c)).powi(2)).sum::<f64>();
        }
        let ece = sums.iter().map(|(_, confidence, hits)| (confidence - *hits as f64).abs()).sum::<f64>() / n;
        let bin = |(i, &(count, confidence, hits)): (usize, &(usize, f64, usize))| {
            let of = count.max(1) as f64;
            let [from, to] = [i, i + 1].map(|i| i as f64 / bins as f64);
            Bin { from, to, count, confidence: confidence / of, accuracy: hits as f64 / of }
        };
        let bins = sums.iter().enumerate().map(bin).collect();
        Self { rows: labels.len(), accuracy: right as f64 / n, ece, nll: nll / n, brier: brier / n, bins }
    }
}

/// The class of the largest probability, the lowest of equals.
pub fn top(row: &[f64]) -> usize {
    (0..row.len()).rev().max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0)
}

/// Whether the top class of each row is right.
pub fn right(probabilities: &[f64], labels: &[u32], classes: usize) -> Vec<bool> {
    probabilities.chunks_exact(classes).zip(labels).map(|(row, &l)| top(row) == l as usize).collect()
}

/// Entropy -Σ p·ln p of each row, in nats, from 0 to ln(classes): of the mean of passes, the predictive entropy.
pub fn entropy(probabilities: &[f64], classes: usize) -> Vec<f64> {
    // The limit of p·ln p is 0; adding 0 makes a negative zero positive.
    let term = |p: &f64| if *p > 0.0 { -p * p.ln() } else { 0.0 };
    probabilities.chunks_exact(classes).map(|row| row.iter().map(term).sum::<f64>() + 0.0).collect()
}

/// The rejection curve: when the most uncertain rows are set aside, how many remain, and the accuracy on these. Pairs of share
/// kept and accuracy, from all rows to the most certain ones. Rows that are equally uncertain go together, so that the order of rows
/// does not matter.
///
/// # Panics
/// Without rows, or if there is not one uncertainty per row.
pub fn rejection(uncertainty: &[f64], right: &[bool]) -> Vec<[f64; 2]> {
    assert!(!right.is_empty() && uncertainty.len() == right.len(), "an uncertainty for each row is needed");
    let mut order: Vec<usize> = (0..right.len()).collect();
    order.sort_by(|&a, &b| uncertainty[a].total_cmp(&uncertainty[b]));
    let (mut points, mut hits) = (Vec::new(), 0usize);
    for (i, &row) in order.iter().enumerate() {
        hits += usize::from(right[row]);
        if order.get(i + 1).is_none_or(|&next| uncertainty[next] > uncertainty[row]) {
            points.push([(i + 1) as f64 / right.len() as f64, hits as f64 / (i + 1) as f64]);
        }
    }
    points.reverse();
    points
}

/// Rows with about the same predicted standard deviation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SpreadBin {
    /// Rows in it.
    pub count: usize,
    /// Mean predicted standard deviation.
    pub sd: f64,
    /// Mean absolute error of the predicted mean.
    pub error: f64,
}

/// How well predicted standard deviations agree with errors of a predicted number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Rows.
    pub rows: usize,
    /// Root of the mean squared error of the predicted mean.
    pub rmse: f64,
    /// Share of values within 1 and within 2 standard deviations of the predicted mean, ends included. Normal errors of just that
    /// size would give 0.683 and 0.954.
    pub coverage: [f64; 2],
    /// Bins of about equally many rows, from small to large standard deviations.
    pub bins: Vec<SpreadBin>,
}

impl Spread {
    /// Of predicted means and standard deviations, all in one unit, against the values, in so many bins or as many as there are rows.
    ///
    /// # Panics
    /// Without rows or bins, or if the lists differ in length.
    pub fn of(means: &[f64], sds: &[f64], values: &[f64], bins: usize) -> Self {
        let n = values.len();
        assert!(n > 0 && bins > 0, "rows and bins are needed");
        assert!(means.len() == n && sds.len() == n, "a mean and a standard deviation for each value are needed");
        let error = |i: usize| (means[i] - values[i]).abs();
        let within = |times: f64| (0..n).filter(|&i| error(i) <= times * sds[i]).count() as f64 / n as f64;
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&a, &b| sds[a].total_cmp(&sds[b]));
        let bins = bins.min(n);
        let bin = |b: usize| {
            let rows = &order[b * n / bins..(b + 1) * n / bins];
            let mean = |of: &dyn Fn(usize) -> f64| rows.iter().map(|&i| of(i)).sum::<f64>() / rows.len() as f64;
            SpreadBin { count: rows.len(), sd: mean(&|i| sds[i]), error: mean(&error) }
        };
        let rmse = ((0..n).map(|i| error(i).powi(2)).sum::<f64>() / n as f64).sqrt();
        Self { rows: n, rmse, coverage: [within(1.0), within(2.0)], bins: (0..bins).map(bin).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::LN_2;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-14, "{a}, {b} expected");
    }

    /// Two bins: [0, ½) is empty, and ½ belongs to the upper one. Of three rows with 0.5, 0.75 and 1, the first and last are right.
    #[test]
    fn calibration_by_hand() {
        let c = Calibration::of(&[0.5, 0.5, 0.75, 0.25, 0.0, 1.0], &[0, 1, 1], 2, 2);
        assert_eq!(c.bins[0], Bin { from: 0.0, to: 0.5, count: 0, confidence: 0.0, accuracy: 0.0 });
        assert_eq!((c.bins[1].count, c.bins[1].confidence), (3, 0.75));
        near(c.accuracy, 2.0 / 3.0);
        near(c.ece, 0.75 - 2.0 / 3.0);
        near(c.nll, (LN_2 + 2.0 * LN_2) / 3.0);
        near(c.brier, (0.5 + 2.0 * 0.5625) / 3.0);
        // In four bins the first row is alone, off by 0.5; the others share one, off by 0.75 together.
        near(Calibration::of(&[0.5, 0.5, 0.75, 0.25, 0.0, 1.0], &[0, 1, 1], 2, 4).ece, (0.5 + 0.75) / 3.0);
        assert_eq!(Calibration::of(&[1.0, 0.0], &[1], 2, 10).nll, f64::INFINITY);
    }

    #[test]
    fn uncertainty_by_hand() {
        assert_eq!(entropy(&[1.0, 0.0, 0.5, 0.5], 2), [0.0, LN_2]);
        assert_eq!(right(&[0.5, 0.5, 0.1, 0.9], &[0, 0], 2), [true, false]);
    }

    #[test]
    fn rejection_by_hand() {
        // The two of 0.5 go together.
        let points = rejection(&[0.5, 0.1, 0.9, 0.5], &[true, true, false, false]);
        assert_eq!(points, [[1.0, 0.5], [0.75, 2.0 / 3.0], [0.25, 1.0]]);
        assert_eq!(rejection(&[0.5, 0.5, 0.1, 0.9], &[false, true, true, false]), points);
    }

    #[test]
    fn spread_by_hand() {
        let s = Spread::of(&[0.0; 4], &[1.0, 4.0, 2.0, 3.0], &[1.0, 5.0, -5.0, 2.0], 2);
        assert_eq!(s.coverage, [0.5, 0.75]);
        assert_eq!(s.bins[0], SpreadBin { count: 2, sd: 1.5, error: 3.0 });
        assert_eq!(s.bins[1], SpreadBin { count: 2, sd: 3.5, error: 3.5 });
        near(s.rmse, (55.0f64 / 4.0).sqrt());
        assert_eq!(Spread::of(&[0.0], &[1.0], &[2.0], 10).bins.len(), 1);
    }

    #[test]
    #[should_panic(expected = "from 0 to 1")]
    fn logits_are_no_probabilities() {
        Calibration::of(&[2.0, -1.0], &[0], 2, 10);
    }
}
