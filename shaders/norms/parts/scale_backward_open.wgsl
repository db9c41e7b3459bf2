// dx = a * g with coefficients (mean, a, unused, unused): the statistics do not depend on x. g as in
// lib/channels/normalize_backward_open. Buffers: dy, dx, coefs.
fn transform(i: u32, c: Coefs, at: vec2<u32>) {
    dx_store(i, shown(i, c.b * passed(i, dy_load(i), c, at)));
}
