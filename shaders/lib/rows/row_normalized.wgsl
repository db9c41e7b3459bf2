// ((x - K) - (mean - K)) * rstd * weight + bias with coefficients (K, mean - K, rstd, unused) of the row; weight and bias belong to
// the places p. The mean is subtracted first and in two parts, as in lib/channels/normalize_open. Buffers: x, weight, bias.
//!use lib/rows/row_weight
fn row_normalized(i: u32, c: Coefs, p: vec4<u32>) -> vec4<f32> {
    let bias = vec4<f32>(bias_at(p.x), bias_at(p.y), bias_at(p.z), bias_at(p.w));
    return ((x_load(i) - c.a) - c.b) * c.c * weights(p) + bias;
}
