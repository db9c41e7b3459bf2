// For losses/parts/pairwise_loss: |d|.
fn value_of(d: vec4<f32>) -> vec4<f32> { return abs(d); }
fn slope_of(d: vec4<f32>) -> vec4<f32> { return sign_of(d); }
