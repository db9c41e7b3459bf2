// a * ((dy * weight - b) - (x - mean) * c) with coefficients (mean, a, b, c) of the row; see layer_norm_backward. The weight
// belongs to the places p. Buffers: x, dy, weight, coefs.
//!use lib/rows/row_weight
fn row_gradient(i: u32, c: Coefs, p: vec4<u32>) -> vec4<f32> {
    return c.b * ((dy_load(i) * weights(p) - c.c) - (x_load(i) - c.a) * c.d);
}
