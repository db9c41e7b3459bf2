// dx = a * ((dy - b) - (x - mean) * c) with coefficients (mean, a, b, c); see batch_norm_backward. Buffers: x, dy, dx, coefs.
fn transform(i: u32, c: Coefs, at: vec2<u32>) {
    dx_store(i, c.b * ((dy_load(i) - c.c) - (x_load(i) - c.a) * c.d));
}
