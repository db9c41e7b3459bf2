// dx of a normalised group of channels, to which the weight belongs. Buffers: dx; those of lib/rows/row_gradient.
//!use lib/rows/row_gradient
fn transform(i: u32, c: Coefs, at: vec2<u32>) {
    dx_store(i, row_gradient(i, c, channels_of(at)));
}
