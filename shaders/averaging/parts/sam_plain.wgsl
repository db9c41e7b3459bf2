// SAM: every weight moves as its gradient says.
fn reach(i: u32) -> vec4<f32> { return vec4<f32>(1.0); }
