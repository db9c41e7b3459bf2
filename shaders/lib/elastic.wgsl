// The elastic net λ1·Σ|w| + λ2·Σw²: its gradient, and its proximal operator.

// λ1·sign(w) + slope·w, with slope = 2·λ2 or λ2 by convention. A term whose λ is 0 is absent, also where w is not finite.
fn elastic_gradient(w: vec4<f32>, l1: f32, slope: f32) -> vec4<f32> {
    return select(vec4<f32>(0.0), l1 * sign(w), l1 != 0.0) + select(vec4<f32>(0.0), slope * w, slope != 0.0);
}

// Soft threshold at t·λ1, then times 1 / (1 + t·slope). Exactly 0 up to the threshold; a NaN stays NaN.
fn elastic_prox(w: vec4<f32>, threshold: f32, shrink: f32) -> vec4<f32> {
    return (w - clamp(w, vec4<f32>(-threshold), vec4<f32>(threshold))) * shrink;
}
