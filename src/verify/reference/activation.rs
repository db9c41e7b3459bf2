use crate::options::Activation;

/// The error function: its series near 0, the continued fraction of its complement beyond (Abramowitz and Stegun, 7.1.5 and
/// 7.1.14).
fn erf(x: f64) -> f64 {
    let pi = std::f64::consts::PI;
    if x.abs() < 2.5 {
        let (mut term, mut sum) = (x, x);
        for n in 1..80 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        return 2.0 / pi.sqrt() * sum;
    }
    let mut tail = x.abs();
    for k in (1..200).rev() {
        tail = x.abs() + f64::from(k) / 2.0 / tail;
    }
    x.signum() * (1.0 - (-x * x).exp() / (pi.sqrt() * tail))
}

/// An activation and its derivative. Of -∞ they are 0 but for the leaky ones; of +∞ they are ∞ and 1.
pub fn activation(act: Activation, u: f64) -> (f64, f64) {
    let sigmoid = |t: f64| 1.0 / (1.0 + (-t).exp());
    let gated = |t: f64, rise: f64| {
        let s = sigmoid(t);
        (u * s, s + u * s * sigmoid(-t) * rise)
    };
    let leaky = |slope: f64| match (u <= 0.0, slope == 0.0) {
        (false, _) => (u, 1.0),
        (true, true) => (0.0, 0.0),
        (true, false) => (slope * u, slope),
    };
    match act {
        Activation::None => (u, 1.0),
        Activation::Relu => leaky(0.0),
        Activation::LeakyRelu { slope } => leaky(slope),
        _ if u == f64::INFINITY => (u, 1.0),
        _ if u == f64::NEG_INFINITY => (0.0, 0.0),
        Activation::Silu => gated(u, 1.0),
        Activation::Gelu => {
            let density = (-u * u / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
            let phi = 0.5 + 0.5 * erf(u / 2f64.sqrt());
            (u * phi, phi + u * density)
        }
        Activation::GeluTanh => {
            let k = (8.0 / std::f64::consts::PI).sqrt();
            gated(k * (u + 0.044715 * u * u * u), k * (1.0 + 3.0 * 0.044715 * u * u))
        }
    }
}

/// The gradient of v from `dy`, that of its activation. Where the activation is flat it is 0, whatever dy is.
pub fn activation_backward(act: Activation, v: f64, dy: f64) -> f64 {
    let slope = activation(act, v).1;
    if slope == 0.0 { 0.0 } else { dy * slope }
}
