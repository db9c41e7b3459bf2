// What is kept is multiplied by a factor in a buffer, what is not becomes +0. Buffers: x, factor (read), y (written).
fn outcome(i: u32, kept: vec4<bool>) {
    y_store(i, select(vec4<f32>(0.0), x_load(i) * factor[0], kept));
}
