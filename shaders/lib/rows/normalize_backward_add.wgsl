// dx of a normalised row that others read too: dz is what they send. Buffers: dx, dz; those of lib/rows/row_gradient.
//!use lib/rows/row_gradient
fn transform(i: u32, c: Coefs, at: vec2<u32>) {
    dx_store(i, row_gradient(i, c, places(at)) + dz_load(i));
}
