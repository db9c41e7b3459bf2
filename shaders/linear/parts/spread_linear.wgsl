// w·(y - μ)²/2 from the weighted residual r = w·(y - μ): what a row of a linear model adds to the gap if its dual variable is 0
// instead of r.
fn model_spread(r: f32, w: f32) -> f32 { return 0.5 * (r / w) * r; }
