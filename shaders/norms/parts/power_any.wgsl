// d^-beta.
fn inverse_power(d: vec4<f32>) -> vec4<f32> { return exp2(-params.beta * log2(d)); }
