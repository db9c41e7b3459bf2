//! How far the kernels' results may be off.
use super::Orthogonality;
use crate::{
    kernels::matmul::chain,
    op::Expected,
    types::DType,
    verify::{Approx, reference},
};

const E: f64 = DType::F32.epsilon();
const LEAST: f64 = DType::F32.least_normal();

impl Orthogonality {
    /// G - I, and how far the kernels' may be from it, row after row.
    fn differences(&self, vectors: &[Vec<f64>]) -> (Vec<f64>, Vec<f64>) {
        let largest = vectors.iter().flatten().fold(0.0, |a: f64, w| a.max(w.abs()));
        let entries = vectors.len() * vectors.len();
        let mut out = (Vec::with_capacity(entries), Vec::with_capacity(entries));
        for (i, a) in vectors.iter().enumerate() {
            for (j, b) in vectors.iter().enumerate() {
                let one = if i == j { 1.0 } else { 0.0 };
                let (sum, magnitudes) =
                    a.iter().zip(b).map(|(a, b)| a * b).fold((0.0, 0.0), |(s, m), v: f64| (s + v, m + v.abs()));
                out.0.push(sum - one);
                // A product, the additions, that of the 1, which may come at any place; factors or products may be flushed.
                out.1.push(
                    E * ((chain(a.len()) + 1.0) * magnitudes + one * (magnitudes + 1.0))
                        + 4.0 * a.len() as f64 * (1.0 + largest) * LEAST,
                );
            }
        }
        out
    }

    /// Σ(g - δ)², how far what the kernels add may be from it, and the most that it may be.
    fn squares(&self, weight: &[f64]) -> (f64, f64, f64) {
        if self.inner() == 0 {
            // The Gram matrix of vectors without values is 0, however many they are: no table of them fits into memory.
            let side = self.side() as f64;
            return (side, side * (2.0 + E) * E + side * side * LEAST, side * (1.0 + E).powi(2));
        }
        let vectors = self.vectors(weight);
        let (values, errors) = self.differences(&vectors);
        let (mut moved, mut largest) = (0.0, 0.0);
        for (d, error) in values.iter().zip(&errors) {
            moved += (2.0 * d.abs() + error) * error + LEAST;
            largest += (d.abs() + error).powi(2);
        }
        (reference::orthogonal_penalty(&vectors), moved, largest)
    }

    /// λ·Σ(g - δ)².
    pub fn expected_value(&self, weight: &[f64]) -> Expected {
        if self.lambda == 0.0 {
            return Expected::Within { value: vec![0.0], bound: vec![0.0] };
        }
        let entries = (self.side() as f64).powi(2);
        let (sum, moved, largest) = self.squares(weight);
        let value = self.lambda * sum;
        // Squares are positive, so each addition is off by an ulp of the sum at most: those of a lane (64 of its quads, 2 of a
        // quad), of a tree (8 levels), and of levels as in `penalty`, from the smallest blocks that there are, of 16 entries.
        let levels = ((entries / 16.0).max(1.0).log(256.0)).ceil().max(1.0);
        let sum = E * (1.0 + 64.0 + 2.0 + 8.0 + 72.0 * levels) * largest;
        // λ, and its product.
        let bound =
            self.lambda * (moved + sum) * (1.0 + 2.0 * E) + 2.0 * E * self.lambda * largest + 2.0 * LEAST * largest.max(1.0);
        Expected::Within { value: vec![value], bound: vec![bound] }
    }

    /// grad + 4λ·(G - I)·W, or 4λ·W·(G - I): for vector i, Σ_j d_ij·v_j.
    pub fn expected_gradient(&self, weight: &[f64], grad: Vec<f64>) -> Expected {
        let (mut value, mut bound) = (grad, vec![0.0; weight.len()]);
        if self.lambda == 0.0 || weight.is_empty() {
            return Expected::Within { value, bound };
        }
        let (vectors, scale) = (self.vectors(weight), 4.0 * self.lambda);
        let gradient = reference::orthogonal_penalty_grad(&vectors);
        let (values, errors) = self.differences(&vectors);
        let largest = vectors.iter().flatten().fold(0.0, |a: f64, w| a.max(w.abs()));
        let (side, inner) = (self.side(), self.inner());
        for i in 0..side {
            // What moved, and the magnitudes that are added.
            let mut sums = vec![(0.0, 0.0); inner];
            for (j, v) in vectors.iter().enumerate() {
                let (d, error) = (values[i * side + j].abs(), errors[i * side + j]);
                for (sum, w) in sums.iter_mut().zip(v) {
                    sum.0 += error * w.abs();
                    sum.1 += (d + error) * w.abs();
                }
            }
            let widest = values[i * side..(i + 1) * side].iter().fold(largest, |a, d| a.max(d.abs()));
            let flushed = 4.0 * side as f64 * (1.0 + widest) * LEAST;
            for (k, (moved, magnitudes)) in sums.into_iter().enumerate() {
                let at = if self.by_row() { i * self.of.cols + k } else { k * self.of.cols + i };
                // A product and its additions; then 4λ, the product with it, and the sum with the gradient.
                let product = moved + E * (chain(side) + 1.0) * magnitudes + flushed;
                let term = scale * gradient[i][k] / 4.0;
                let sum = value[at].abs() + term.abs();
                let error = scale * product * (1.0 + 3.0 * E) + E * (3.0 * term.abs() + sum) + 4.0 * (1.0 + scale) * LEAST;
                value[at] += term;
                bound[at] = Approx { value: value[at], error }.stored_with_ulp(self.dtype);
            }
        }
        Expected::Within { value, bound }
    }
}
