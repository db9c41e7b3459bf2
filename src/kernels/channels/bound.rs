//! How far off the channel statistics of the kernels may be.
use crate::{
    kernels::gradients::norm_after,
    types::DType,
    verify::{Approx, reference},
};

const E: f64 = DType::F32.epsilon();

/// Roundings that a sum of `m` values may pass through: those added one after the other by a lane, a reduction level and
/// the last kernel (at most 128, 64 per level, 64), and those of trees (log2 of what they join, and two for a quad).
fn depth(m: usize) -> (f64, f64) {
    let tree = (m.max(1) as f64).log2().ceil() + 2.0;
    // A level takes 256 partials or more to one, and starts above 64 of them.
    let levels = if m > 64 { ((m as f64 / 64.0).ln() / 256f64.ln()).ceil() } else { 0.0 };
    ((128.0 + 64.0 + 64.0 * levels).min(m as f64), tree * (1.0 + levels))
}

/// Mean and biased variance of a channel, and how far the kernels' may be from them.
pub(crate) struct Moments {
    pub mean: f64,
    pub variance: f64,
    /// The largest less the least value.
    pub range: f64,
    /// Of mean - K, which is kept in its own word.
    pub shifted_error: f64,
    pub variance_error: f64,
}

impl Moments {
    /// `None` if a value is not finite: the kernels answer NaN then.
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.iter().any(|v| !v.is_finite()) {
            return None;
        }
        let [mean, variance] = reference::moments(values);
        let (least, most) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v)));
        let range = if values.is_empty() { 0.0 } else { most - least };
        let (steps, tree) = depth(values.len());
        // Every quantity is a difference of values of the channel (K is one of them), so at most `range`, and each rounding
        // at most E * range. Step i of Welford's recurrence a += (d - a) / i shrinks the error so far by 1 - 1/i, adds
        // E * range for the sum and 6 E * range / i for d, d - a and the quotient: together E * range * (i/2 + 7). Merging
        // equal parts one after the other is the same recurrence; a merge in a tree adds at most 8 E * range.
        let shifted_error = E * range * (steps / 2.0 + 8.0 * tree);
        // M2 is a sum of non-negative terms: E each. An error h of the differences that are multiplied changes it by at most
        // 2 h sqrt(m M2) + h^2 m (Cauchy), once in the lanes and once in the merges.
        let h = 2.0 * (shifted_error + 2.0 * E * range);
        let variance_error = variance * E * (steps + tree + 8.0)
            + 4.0 * h * variance.sqrt()
            + 2.0 * h * h
            + if range > 0.0 { 2.0 * DType::F32.least_normal() } else { 0.0 };
        Some(Self { mean, variance, range, shifted_error, variance_error })
    }
}

/// What the kernels' 1/√v is below, where it is not 0: v is a normal number.
const LARGEST_INVERSE: f64 = 9.3e18;

/// How far 1/sqrt(v + eps) may be off if v is off by `error`; eps is rounded to f32, root and quotient take 8 ulp at most.
pub(crate) fn inverse_std_error(variance: f64, error: f64, eps: f64) -> f64 {
    let at = |v: f64| reference::inverse_std(v, eps);
    let least = (variance - error).max(0.0) + eps;
    let (middle, low, high) = (at(variance), at((variance - error).max(0.0)), at(variance + error));
    // Where v may be below the normal numbers, the kernels' may be 0, or that of any normal number.
    let doubtful = least < DType::F32.least_normal() && variance + error + eps > 0.0;
    let unknown = if doubtful { middle.max(LARGEST_INVERSE) } else { 0.0 };
    (low - middle).abs().max((high - middle).abs()).max(unknown) + 10.0 * E * middle
}

/// How far the kernels' Σdy and Σdy·x̂ of a channel may be off.
pub(crate) struct SumErrors {
    pub dbias: f64,
    pub dweight: f64,
}

impl SumErrors {
    pub fn of(x: &[f64], dy: &[f64], mean: f64, rstd: f64, rstd_error: f64) -> Self {
        if x.is_empty() {
            // Exactly 0, whatever the statistics of nothing are.
            return Self { dbias: 0.0, dweight: 0.0 };
        }
        // No square root is negative, but a caller's number may be; an error is not.
        let rstd = rstd.abs();
        let (steps, tree) = depth(x.len());
        let flushed = x.len() as f64 * DType::F32.least_normal();
        let sum: f64 = dy.iter().map(|dy| dy.abs()).sum();
        let products: f64 = x.iter().zip(dy).map(|(x, dy)| (dy * (x - mean)).abs()).sum();
        // A term passes through the additions that `depth` counts; a product is rounded three times before.
        let dweight = products * (rstd_error + E * (steps + tree + 4.0) * (rstd + rstd_error)) + 2.0 * (1.0 + rstd) * flushed;
        Self { dbias: E * (steps + tree) * sum + flushed, dweight }
    }
}

/// The sum of a channel's terms as the kernels form it: each passes through the additions that `depth` counts.
pub(crate) fn sum_of(terms: &[Approx]) -> Approx {
    let (steps, tree) = depth(terms.len());
    let (value, error) = terms.iter().fold((0.0, 0.0), |(v, e), t| (v + t.value, e + t.error));
    let magnitudes: f64 = terms.iter().map(|t| t.value.abs() + t.error).sum();
    let flushed = if magnitudes == 0.0 { 0.0 } else { terms.len() as f64 * DType::F32.least_normal() };
    Approx { value, error: error + E * (steps + tree) * magnitudes + flushed }
}

/// The norm of a channel as the kernels find it with `norms/parts/channel_norm`.
pub(crate) fn norm_of(values: &[f64]) -> Approx {
    let (steps, tree) = depth(values.len());
    norm_after(values, steps + tree)
}
