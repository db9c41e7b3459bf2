// y = ((x - K) - (mean - K)) * rstd * weight + bias with coefficients (K, mean - K, rstd, unused) of the row; weight and bias
// belong to the place in it. The mean is subtracted first and in two parts, as in lib/normalize. Buffers: x, y, weight,
// bias, coefs.
//!use lib/row_weight
fn transform(i: u32, c: Coefs, at: vec2<u32>) {
    let p = places(at);
    let bias = vec4<f32>(bias_at(p.x), bias_at(p.y), bias_at(p.z), bias_at(p.w));
    y_store(i, ((x_load(i) - c.a) - c.b) * c.c * weights(p) + bias);
}
