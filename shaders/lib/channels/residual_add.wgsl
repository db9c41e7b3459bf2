// A residual is added before the activation. Buffer: residual.
fn added(i: u32, v: vec4<f32>) -> vec4<f32> { return v + residual_load(i); }
