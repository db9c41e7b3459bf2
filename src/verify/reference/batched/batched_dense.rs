/// One output of a dense layer: the products of a row's inputs with their weights, and the bias.
pub fn batched_dense(x: &[f64], w: &[f64], bias: f64) -> f64 {
    x.iter().zip(w).fold(bias, |sum, (x, w)| sum + x * w)
}
