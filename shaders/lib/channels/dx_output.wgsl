// The sign of what was activated, from y: that of a sum with a residual, which would have to be read otherwise. What comes
// through is also the residual's gradient. Buffers: y, dresidual.
//!use lib/activation/act_grad
fn passed(i: u32, dy: vec4<f32>, c: Coefs, at: vec2<u32>) -> vec4<f32> {
    let g = through(y_load(i), dy);
    dresidual_store(i, g);
    return g;
}
