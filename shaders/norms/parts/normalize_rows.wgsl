// y of a normalised row: weight and bias belong to the place in it. Buffers: y; those of lib/rows/row_normalized.
//!use lib/rows/row_normalized
fn transform(i: u32, c: Coefs, at: vec2<u32>) {
    y_store(i, row_normalized(i, c, places(at)));
}
