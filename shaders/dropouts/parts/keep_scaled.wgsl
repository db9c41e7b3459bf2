// What is kept is multiplied, what is not becomes +0. Buffers: x (read), y (written).
fn outcome(i: u32, kept: vec4<bool>) {
    // Not a product with 0, which would keep NaN and the sign.
    y_store(i, select(vec4<f32>(0.0), x_load(i) * params.scale, kept));
}
