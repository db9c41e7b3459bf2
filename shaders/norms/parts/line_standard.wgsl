// The gradients of weight standardization for lib/channels/line_backward: dgain = sum dy * xhat,
// dx = gain * rstd * (dy - sum dy / values - (x - mean) * slope * dgain). Buffers: slope, gain, dgain.
fn weight_of(c: u32) -> f32 { return 1.0; }

fn leave(line: u32, sums: vec2<f32>) { dgain_put(line, sums.y); }

// (gain * rstd, sum dy / values, slope * dgain, unused)
fn settled(line: u32, rstd: f32, sums: vec2<f32>) -> vec4<f32> {
    return vec4<f32>(gain_at(line) * rstd, sums.x / params.values, slope_at(line) * sums.y, 0.0);
}

fn gradient(dy: vec4<f32>, weight: f32, from_mean: vec4<f32>, c: vec4<f32>) -> vec4<f32> {
    return c.x * ((dy - c.y) - from_mean * c.z);
}
