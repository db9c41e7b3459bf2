//! A multi-layer perceptron on the host: f32 weights, products and sums in f64.
use super::{Predicted, zeros};
use crate::Failure;
use ndarray::{ArrayView2, ArrayViewMut2, linalg::general_mat_mul};

/// A network with what scales its inputs and its output.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// By what a feature is divided, after its mean is subtracted.
    pub scales: Vec<f64>,
    /// Mean and standard deviation of a target of numbers; 0 and 1 for classes.
    pub target: [f64; 2],
    /// First to last: ReLU stands behind all but the last.
    pub layers: Vec<Layer>,
}

/// A dense layer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layer {
    /// Inputs and outputs.
    pub shape: [usize; 2],
    /// inputs × outputs, a row for each input.
    pub weight: Vec<f32>,
    /// Of each output; none where units are normalized.
    pub bias: Option<Vec<f32>>,
    /// The normalization, before the ReLU.
    pub norm: Option<Norm>,
}

/// Batch normalization by its running statistics, a value for each output.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Norm {
    /// The factor.
    pub gamma: Vec<f32>,
    /// The shift.
    pub beta: Vec<f32>,
    /// The running mean.
    pub mean: Vec<f32>,
    /// The running variance.
    pub variance: Vec<f32>,
    /// What is added to the variance.
    pub epsilon: f64,
}

/// Rows that go through the layers at once.
const ROWS: usize = 1024;

impl Network {
    /// What it says of rows of features with these means.
    pub(super) fn predict(
        &self,
        means: &[f64],
        mut features: Vec<f64>,
        rows: usize,
        classes: bool,
    ) -> Result<Predicted, Failure> {
        let width = self.scales.len();
        let outputs = self.layers.last().map_or(0, |layer| layer.shape[1]);
        if width > 0 {
            for row in features.chunks_exact_mut(width) {
                row.iter_mut().zip(means.iter().zip(&self.scales)).for_each(|(v, (mean, scale))| *v = (*v - mean) / scale);
            }
        }
        let weights: Vec<Vec<f64>> = self.layers.iter().map(|l| l.weight.iter().map(|&w| f64::from(w)).collect()).collect();
        let mut link = zeros(rows.checked_mul(outputs))?;
        for first in (0..rows).step_by(ROWS) {
            let now = ROWS.min(rows - first);
            let mut x = features[first * width..(first + now) * width].to_vec();
            for (i, (layer, weight)) in self.layers.iter().zip(&weights).enumerate() {
                x = layer.forward(&x, weight, now, i + 1 < self.layers.len())?;
            }
            link[first * outputs..(first + now) * outputs].copy_from_slice(&x);
        }
        if !classes {
            let [mean, scale] = self.target;
            link.iter_mut().for_each(|v| *v = mean + scale * *v);
            return Ok(Predicted { response: link.clone(), link, links: 1, responses: 1, class: None });
        }
        let mut response = link.clone();
        response.chunks_exact_mut(outputs).for_each(softmax);
        let class = Some(Predicted::greatest(&link, outputs));
        Ok(Predicted { link, links: outputs, response, responses: outputs, class })
    }
}

impl Layer {
    fn forward(&self, x: &[f64], weight: &[f64], rows: usize, hidden: bool) -> Result<Vec<f64>, Failure> {
        let [inputs, outputs] = self.shape;
        let mut out = zeros(rows.checked_mul(outputs))?;
        let of = |values: &'_ [f32], j: usize| f64::from(values[j]);
        {
            let x = ArrayView2::from_shape((rows, inputs), x).expect("whole rows");
            let weight = ArrayView2::from_shape((inputs, outputs), weight).expect("its shape was checked");
            let mut out = ArrayViewMut2::from_shape((rows, outputs), &mut out).expect("made for it");
            general_mat_mul(1.0, &x, &weight, 0.0, &mut out);
        }
        for row in out.chunks_exact_mut(outputs) {
            for (j, v) in row.iter_mut().enumerate() {
                *v += self.bias.as_ref().map_or(0.0, |bias| of(bias, j));
                if let Some(n) = &self.norm {
                    *v = (*v - of(&n.mean, j)) / (of(&n.variance, j) + n.epsilon).sqrt() * of(&n.gamma, j) + of(&n.beta, j);
                }
                // NaN stays one, which `max` would make 0.
                if hidden && *v < 0.0 {
                    *v = 0.0;
                }
            }
        }
        Ok(out)
    }
}

fn softmax(row: &mut [f64]) {
    let most = row.iter().fold(f64::NEG_INFINITY, |a, b| a.max(*b));
    row.iter_mut().for_each(|v| *v = (*v - most).exp());
    let sum: f64 = row.iter().sum();
    row.iter_mut().for_each(|v| *v /= sum);
}
