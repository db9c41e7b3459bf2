// What comes back through the activation where it was taken. Open: biased, act_slope.
//!use lib/activation/act_grad
fn back(i: u32, dy: vec4<f32>) -> vec4<f32> { return through(biased(i), dy); }
