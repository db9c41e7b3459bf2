// y = x * rstd * weight with coefficients (rstd, unused, unused, unused) of the row; the weight belongs to the place in it.
// Buffers: x, y, weight, coefs.
//!use lib/rows/row_weight
fn transform(i: u32, c: Coefs, at: vec2<u32>) {
    y_store(i, x_load(i) * c.a * weights(places(at)));
}
