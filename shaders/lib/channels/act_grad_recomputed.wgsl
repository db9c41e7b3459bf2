// For lib/channels/products_open: what was activated, from x again. Buffers: weight, bias, one value per channel.
//!use lib/activation/act_grad
fn affine(c: u32) -> vec2<f32> { return vec2<f32>(weight_at(c), bias_at(c)); }
fn gated(e: u32, dy: vec4<f32>, v: vec4<f32>) -> vec4<f32> { return through(v, dy); }
