// Nothing is added to x. Buffer: x.
fn biased(i: u32) -> vec4<f32> { return x_load(i); }
