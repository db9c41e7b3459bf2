// Times a normal number of mean 1. Buffers: x (read), y (written).
fn outcome(i: u32, z: vec4<f32>) {
    y_store(i, x_load(i) * (1.0 + params.deviation * z));
}
