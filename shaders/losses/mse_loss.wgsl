// For losses/parts/pairwise_loss: curve·d², where curve is 1 or 1/2.
fn value_of(d: vec4<f32>) -> vec4<f32> { return params.curve * d * d; }
fn slope_of(d: vec4<f32>) -> vec4<f32> { return 2.0 * params.curve * d; }
