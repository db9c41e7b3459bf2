/// One entry of Xᵀ·R: the sum over the rows of a column of X times the residuals of a model. It is minus the derivative of the
/// model's weighted loss by its coefficient of that column.
pub fn linear_gradient(column: &[f64], residual: &[f64]) -> f64 {
    column.iter().zip(residual).map(|(x, r)| x * r).sum()
}
