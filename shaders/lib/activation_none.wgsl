// No activation.
fn activated(v: vec4<f32>) -> vec4<f32> { return v; }
