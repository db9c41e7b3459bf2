// Nothing is added before the activation.
fn added(i: u32, v: vec4<f32>) -> vec4<f32> { return v; }
