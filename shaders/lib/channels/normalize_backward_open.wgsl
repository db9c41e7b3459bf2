// dx = a * ((g - b) - (x - mean) * c) with coefficients (mean, a, b, c); see batch_norm_backward. g is dy as it comes back
// through the activation. Open: passed (lib/channels/dx_*), shown (lib/channels/visible_*). Buffers: x, dy, dx, coefs.
fn transform(i: u32, c: Coefs, at: vec2<u32>) {
    dx_store(i, shown(i, c.b * ((passed(i, dy_load(i), c, at) - c.c) - (x_load(i) - c.a) * c.d)));
}
