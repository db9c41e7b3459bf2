// a * ((dy * weight - b) - (x - mean) * c) with coefficients (mean, a, b, c) of the row; see layer_norm_backward. The weight
// belongs to the place in it. Buffers: x, dy, weight, coefs.
//!use lib/row_weight
fn row_gradient(i: u32, c: Coefs, at: vec2<u32>) -> vec4<f32> {
    return c.b * ((dy_load(i) * weights(places(at)) - c.c) - (x_load(i) - c.a) * c.d);
}
