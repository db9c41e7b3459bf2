// What was activated, a sum with a residual, from x and the residual again: see lib/channels/act_grad_sum, lib/channels/dx_recomputed. What comes
// through is also the residual's gradient. Buffers: x, bias, residual, dresidual.
//!use lib/activation/act_grad
fn passed(i: u32, dy: vec4<f32>, c: Coefs, at: vec2<u32>) -> vec4<f32> {
    let p = channels_of(at);
    let bias = vec4<f32>(bias_at(p.x), bias_at(p.y), bias_at(p.z), bias_at(p.w));
    let g = through((x_load(i) - c.a) * c.b + bias + residual_load(i), dy);
    dresidual_store(i, g);
    return g;
}
