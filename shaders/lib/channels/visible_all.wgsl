// Every element is written as computed.
fn shown(i: u32, v: vec4<f32>) -> vec4<f32> { return v; }
