// What is kept is multiplied and added to what is there; where nothing is kept, that stays. Buffers: x (read), y (updated).
fn outcome(i: u32, kept: vec4<bool>) {
    let old = y_load(i);
    // Not a product with 0, which would keep NaN.
    y_store(i, select(old, old + x_load(i) * params.scale, kept));
}
