use super::bias_act_dropout_add::nonlinearity;
use crate::Nonlinearity;

/// The derivative of `bias_act_dropout_add` by x, times dy. Where the activation is flat it is 0, whatever dy is.
pub fn bias_act_dropout_add_backward(x: f64, bias: f64, dy: f64, kept: bool, factor: f64, act: Nonlinearity) -> f64 {
    let slope = nonlinearity(act, x + bias).1;
    if kept && slope != 0.0 { dy * factor * slope } else { 0.0 }
}
