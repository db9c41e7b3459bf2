// d^-1/2.
fn inverse_power(d: vec4<f32>) -> vec4<f32> { return inverseSqrt(d); }
