//! Decomposes an error into bias and variance: the error of the average model, and what comes from the sample that a model was trained
//! on. Takes predictions for the same rows by models trained on samples of their own, such as bootstrap samples.
//!
//! Predictions are a list per model, rows × columns, row after row. All functions are deterministic and work in f64.
use serde::Serialize;

/// A mean over rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Term {
    /// The mean.
    pub mean: f64,
    /// Its standard error, from the spread of the rows' terms: sd (÷ (n - 1)) / √n; 0 for one row. It says how the mean would vary
    /// with other rows, not with other training data.
    pub se: f64,
}

impl Term {
    fn of(terms: &[f64]) -> Self {
        let n = terms.len() as f64;
        let mean = terms.iter().sum::<f64>() / n;
        let squares = || terms.iter().map(|t| (t - mean).powi(2)).sum::<f64>();
        Self { mean, se: if terms.len() < 2 { 0.0 } else { (squares() / (n - 1.0) / n).sqrt() } }
    }
}

/// Which loss was decomposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Squared error of a number, in the unit of its square.
    Squared,
    /// Squared error of class probabilities, summed over the classes: from 0 to 2.
    Brier,
    /// 1 where the class is wrong, 0 where it is right.
    ZeroOne,
}

/// A mean loss in two parts: `error` = `bias` + `variance`, to rounding.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Decomposition {
    /// Of which loss.
    pub loss: Loss,
    /// Rows that were predicted.
    pub rows: usize,
    /// Models.
    pub models: usize,
    /// The loss of the main prediction. For squared losses that is bias² and noise: a row has a single label, so irreducible error
    /// counts as bias.
    pub bias: Term,
    /// The mean loss from models that differ from the main prediction. For 0–1 loss the net variance, which is negative where models
    /// that differ are right more often than wrong.
    pub variance: Term,
    /// The mean loss over all models and rows.
    pub error: Term,
    /// For 0–1 loss: how much models differ, where the main prediction is right and where it is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
}

/// The two variances of 0–1 loss. Their sum is the mean share of models that differ from the main prediction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Split {
    /// On rows whose main prediction is right, 0 elsewhere: adds to the error.
    pub unbiased: Term,
    /// On rows whose main prediction is wrong, 0 elsewhere. Each row reduces the error by c times its own, where c is the share of
    /// right models among those that differ: 1 for two classes.
    pub biased: Term,
}

/// Squared loss of numbers. Per row the main prediction is the mean m over the models, the bias (y - m)², the variance the mean of
/// (prediction - m)². Not finite where a prediction is not.
///
/// # Panics
/// Without models or rows, or if a model has not one prediction per value.
pub fn squared(predictions: &[Vec<f64>], values: &[f64]) -> Decomposition {
    quadratic(Loss::Squared, predictions, 1, values.len(), |row, _| values[row])
}

/// Squared loss of class probabilities (the Brier score): as [`squared`], summed over the classes, against 1 for the row's class and
/// 0 for the others.
///
/// # Panics
/// Without models or rows, if a model has not rows × `classes` predictions, or a label is no class.
pub fn brier(predictions: &[Vec<f64>], labels: &[u32], classes: usize) -> Decomposition {
    in_range(labels, classes);
    quadratic(Loss::Brier, predictions, classes, labels.len(), |row, c| f64::from(u8::from(labels[row] as usize == c)))
}

fn quadratic(
    loss: Loss,
    predictions: &[Vec<f64>],
    columns: usize,
    rows: usize,
    target: impl Fn(usize, usize) -> f64,
) -> Decomposition {
    check(predictions, columns, rows);
    let models = predictions.len() as f64;
    let [mut bias, mut variance, mut error] = [(); 3].map(|()| vec![0.0; rows]);
    for row in 0..rows {
        for c in 0..columns {
            let (y, of) = (target(row, c), || predictions.iter().map(|p| p[row * columns + c]));
            let main = of().sum::<f64>() / models;
            bias[row] += (y - main).powi(2);
            variance[row] += of().map(|p| (p - main).powi(2)).sum::<f64>() / models;
            error[row] += of().map(|p| (p - y).powi(2)).sum::<f64>() / models;
        }
    }
    let [bias, variance, error] = [bias, variance, error].map(|t| Term::of(&t));
    Decomposition { loss, rows, models: predictions.len(), bias, variance, error, split: None }
}

/// 0–1 loss, after Domingos, "A Unified Bias-Variance Decomposition and its Applications" (2000). A model predicts the class of the
/// largest of a row's scores (the lowest of equals; none if all are NaN, which is never right). The main prediction is the class that
/// most models predict (again the lowest of equals). The bias is 1 where it is wrong; a row's variance is the share v of models that
/// differ from it. A row whose main prediction is right has the error v, one whose main prediction is wrong 1 - c·v.
///
/// # Panics
/// As [`brier`].
pub fn zero_one(predictions: &[Vec<f64>], labels: &[u32], classes: usize) -> Decomposition {
    in_range(labels, classes);
    check(predictions, classes, labels.len());
    let models = predictions.len() as f64;
    let [mut bias, mut net, mut error, mut unbiased, mut biased] = [(); 5].map(|()| Vec::with_capacity(labels.len()));
    for (row, &label) in labels.iter().enumerate() {
        let mut votes = vec![0u32; classes + 1];
        for p in predictions {
            votes[class_of(&p[row * classes..][..classes])] += 1;
        }
        let main = (0..=classes).rev().max_by_key(|&c| votes[c]).expect("there are classes");
        let (right, differ) = (f64::from(votes[label as usize]) / models, 1.0 - f64::from(votes[main]) / models);
        let wrong = main != label as usize;
        bias.push(f64::from(u8::from(wrong)));
        error.push(1.0 - right);
        // All that are right differ from a main prediction that is wrong: c·v is their share.
        net.push(if wrong { -right } else { differ });
        unbiased.push(if wrong { 0.0 } else { differ });
        biased.push(if wrong { differ } else { 0.0 });
    }
    let [bias, variance, error, unbiased, biased] = [bias, net, error, unbiased, biased].map(|t| Term::of(&t));
    let split = Some(Split { unbiased, biased });
    Decomposition { loss: Loss::ZeroOne, rows: labels.len(), models: predictions.len(), bias, variance, error, split }
}

/// The largest, the first of equals; one past the end if none is a number.
fn class_of(scores: &[f64]) -> usize {
    let numbers = scores.iter().enumerate().filter(|(_, s)| !s.is_nan());
    numbers.rev().max_by(|a, b| a.1.total_cmp(b.1)).map_or(scores.len(), |(c, _)| c)
}

fn in_range(labels: &[u32], classes: usize) {
    assert!(labels.iter().all(|&l| (l as usize) < classes), "a label is none of {classes} classes");
}

fn check(predictions: &[Vec<f64>], columns: usize, rows: usize) {
    assert!(!predictions.is_empty() && rows > 0 && columns > 0, "models, rows and columns are needed");
    assert!(predictions.iter().all(|p| p.len() == rows * columns), "each model predicts {rows} x {columns} values");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() <= 1e-14 * (1.0 + b.abs()), "{a}, {b} expected");
    }

    fn adds_up(d: &Decomposition) {
        near(d.bias.mean + d.variance.mean, d.error.mean);
    }

    /// Row 1: predictions 1, 3, mean 2, y 4: bias 4, variance 1, error (9 + 1)/2. Row 2: 0, 0, y 1: 1, 0, 1.
    #[test]
    fn squared_loss_by_hand() {
        let d = squared(&[vec![1.0, 0.0], vec![3.0, 0.0]], &[4.0, 1.0]);
        assert_eq!((d.bias.mean, d.variance.mean, d.error.mean), (2.5, 0.5, 3.0));
        // Terms 4 and 1: sd 3/√2, over √2.
        near(d.bias.se, 1.5);
        near(d.variance.se, 0.5);
        assert_eq!((d.rows, d.models, d.split), (2, 2, None));
        adds_up(&d);
        assert_eq!(squared(&[vec![2.0]], &[5.0]).error, Term { mean: 9.0, se: 0.0 });
        assert!(squared(&[vec![f64::NAN], vec![1.0]], &[0.0]).error.mean.is_nan());
    }

    /// Means 0.75 and 0.25 against 1 and 0: bias 2·(1/4)²; variance 2·(1/4)²; error (0 + 2·(1/2)²)/2.
    #[test]
    fn brier_score_by_hand() {
        let d = brier(&[vec![1.0, 0.0], vec![0.5, 0.5]], &[0], 2);
        assert_eq!((d.bias.mean, d.variance.mean, d.error.mean), (0.125, 0.125, 0.25));
        adds_up(&d);
    }

    fn votes(of: &[&[usize]], classes: usize) -> Vec<Vec<f64>> {
        let one = |&c: &usize| (0..classes).map(move |k| if k == c { 1.0 } else { 0.0 });
        of.iter().map(|model| model.iter().flat_map(one).collect()).collect()
    }

    /// Five models. Row 1, label 0: votes 0 0 0 1 2: right, v = 2/5. Row 2, label 2: votes 1 1 1 2 0: wrong, v = 2/5, one of the two
    /// that differ is right, so c·v = 1/5. Row 3, label 1: all 0: wrong, v = 0. Row 4, label 1: a tie of 0 and 1 goes to 0: wrong,
    /// v = 3/5, of which 2/5 are right.
    #[test]
    fn zero_one_loss_by_hand() {
        let p = votes(&[&[0, 1, 0, 0], &[0, 1, 0, 0], &[0, 1, 0, 1], &[1, 2, 0, 1], &[2, 0, 0, 2]], 3);
        let d = zero_one(&p, &[0, 2, 1, 1], 3);
        let split = d.split.unwrap();
        near(d.bias.mean, 3.0 / 4.0);
        near(split.unbiased.mean, 0.4 / 4.0);
        near(split.biased.mean, (0.4 + 0.6) / 4.0);
        near(d.variance.mean, (0.4 - 0.2 - 0.4) / 4.0);
        near(d.error.mean, (0.4 + 0.8 + 1.0 + 0.6) / 4.0);
        adds_up(&d);
    }

    #[test]
    fn two_classes_lose_all_of_the_biased_variance() {
        let p = votes(&[&[0, 1, 1], &[1, 1, 0], &[1, 0, 0]], 2);
        let d = zero_one(&p, &[0, 1, 0], 2);
        let split = d.split.unwrap();
        near(d.error.mean, d.bias.mean + split.unbiased.mean - split.biased.mean);
        adds_up(&d);
    }

    #[test]
    fn scores_that_are_no_numbers_predict_nothing() {
        assert_eq!(class_of(&[f64::NAN, 1.0, 2.0, 2.0]), 2);
        assert_eq!(class_of(&[f64::NAN, f64::NAN]), 2);
        let d = zero_one(&[vec![f64::NAN, f64::NAN], vec![f64::NAN, f64::NAN]], &[0], 2);
        assert_eq!((d.bias.mean, d.variance.mean, d.error.mean), (1.0, 0.0, 1.0));
    }

    /// For any predictions the parts add up.
    #[test]
    fn parts_add_up() {
        let mut state = 1u32;
        let mut draw = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 8) / f64::from(1u32 << 24)
        };
        let p: Vec<Vec<f64>> = (0..7).map(|_| (0..40 * 4).map(|_| draw()).collect()).collect();
        let labels: Vec<u32> = (0..40).map(|_| (draw() * 4.0) as u32).collect();
        let values: Vec<f64> = (0..160).map(|_| draw()).collect();
        adds_up(&squared(&p, &values));
        adds_up(&brier(&p, &labels, 4));
        let d = zero_one(&p, &labels, 4);
        adds_up(&d);
        assert!(d.split.unwrap().biased.mean > 0.0 && d.variance.se > 0.0);
    }

    #[test]
    #[should_panic(expected = "each model predicts 2 x 1 values")]
    fn models_of_another_length_are_a_mistake() {
        squared(&[vec![1.0, 2.0], vec![1.0]], &[0.0, 0.0]);
    }
}
