// dv = (dw - v / norm * dg) / norm * g with coefficients (1 / norm, dg, g, unused) of the filter: what lies along v is taken off.
// Buffers: v, dw, dv, coefs.
fn transform(i: u32, c: Coefs, at: vec2<u32>) {
    dv_store(i, (dw_load(i) - v_load(i) * c.a * c.b) * c.a * c.c);
}
