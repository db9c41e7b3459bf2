use super::super::activation_backward;
use crate::options::Activation;

/// The derivative of `bias_act_dropout_add` by x, times dy. Where the activation is flat it is 0, whatever dy is.
pub fn bias_act_dropout_add_backward(x: f64, bias: f64, dy: f64, kept: bool, factor: f64, act: Activation) -> f64 {
    if kept { activation_backward(act, x + bias, dy * factor) } else { 0.0 }
}
