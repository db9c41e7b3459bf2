/// The derivative of the loss by one weight: over the rows, its input times the derivative by its output. The input of a bias is 1.
pub fn batched_dense_weight_grad(x: &[f64], dy: &[f64]) -> f64 {
    x.iter().zip(dy).map(|(x, dy)| x * dy).sum()
}
