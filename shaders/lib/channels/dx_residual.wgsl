// No activation; the residual's gradient is dy. Buffer: dresidual.
fn passed(i: u32, dy: vec4<f32>, c: Coefs, at: vec2<u32>) -> vec4<f32> {
    dresidual_store(i, dy);
    return dy;
}
