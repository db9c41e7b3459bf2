use super::super::activation;
use crate::options::Activation;

/// residual + m·factor·act(x + bias) for one element.
pub fn bias_act_dropout_add(x: f64, bias: f64, residual: f64, kept: bool, factor: f64, act: Activation) -> f64 {
    if kept { residual + factor * activation(act, x + bias).0 } else { residual }
}
