// dx of normalised groups of channels, for lib/channels/line_backward. Buffer: weight.
fn weight_of(c: u32) -> f32 { return weight_at(c); }

// (rstd, sum g / values, rstd * sum g * xhat / values, unused)
fn settled(line: u32, rstd: f32, sums: vec2<f32>) -> vec4<f32> {
    let shares = sums / params.values;
    return vec4<f32>(rstd, shares.x, rstd * shares.y, 0.0);
}

fn gradient(dy: vec4<f32>, weight: f32, from_mean: vec4<f32>, c: vec4<f32>) -> vec4<f32> {
    return c.x * ((dy * weight - c.y) - from_mean * c.z);
}
