// y of a normalised group of channels, to which weight and bias belong. Buffers: y; those of lib/rows/row_normalized.
//!use lib/rows/row_normalized
fn transform(i: u32, c: Coefs, at: vec2<u32>) {
    y_store(i, row_normalized(i, c, channels_of(at)));
}
