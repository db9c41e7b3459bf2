// u·sigmoid(u).
//!use lib/sigmoid
fn act(u: vec4<f32>) -> vec4<f32> { return gated(u, u); }
fn act_slope(u: vec4<f32>) -> vec4<f32> { return gated_slope(u, u, vec4<f32>(1.0)); }
