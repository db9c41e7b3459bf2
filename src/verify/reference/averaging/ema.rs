/// The new average of a weight, which has `share` = 1 - d in it. With a share of 0 or 1 the other is not looked at.
pub fn ema(share: f64, average: f64, w: f64) -> f64 {
    if share == 1.0 {
        w
    } else if share == 0.0 {
        average
    } else {
        (1.0 - share) * average + share * w
    }
}

/// The share of the newest in TensorFlow's warm-up, 1 - min(decay, (1 + t)/(10 + t)) after `t` updates.
pub fn tensorflow_share(decay: f64, t: u64) -> f64 {
    (1.0 - decay).max(9.0 / (10.0 + t as f64))
}

/// The share of the newest in the equal average of t + 1 weights, until 1 - `decay` is more.
pub fn polyak_share(decay: f64, t: u64) -> f64 {
    (1.0 - decay).max(1.0 / (t as f64 + 1.0))
}

/// The share of the newest where the weights, decay^(t - i) each, are divided by their sum.
pub fn debiased_share(decay: f64, t: u64) -> f64 {
    if decay == 1.0 {
        return polyak_share(decay, t);
    }
    (1.0 - decay) / (1.0 - decay.powf(t as f64 + 1.0))
}
