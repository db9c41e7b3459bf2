// w·q²/(q·(1 - q)) with q = |y - μ| from the weighted residual r = ±w·q: at least what a row of a logistic model adds to the gap if
// its dual variable is 0 instead of r (Kullback and Leibler's divergence is at most χ²).
fn model_spread(r: f32, w: f32) -> f32 {
    let q = abs(r) / w;
    // Where q rounds to 1 or more: infinite, never negative.
    return abs(r) / max(1.0 - q, 0.0);
}
