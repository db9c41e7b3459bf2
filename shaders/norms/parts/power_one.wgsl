// 1 / d.
fn inverse_power(d: vec4<f32>) -> vec4<f32> { return 1.0 / d; }
