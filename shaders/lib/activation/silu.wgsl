// u·sigmoid(u).
//!use lib/activation/sigmoid
fn act(u: vec4<f32>) -> vec4<f32> { return of_sigmoid(u, u); }
fn act_slope(u: vec4<f32>) -> vec4<f32> { return of_sigmoid_slope(u, u, vec4<f32>(1.0)); }
