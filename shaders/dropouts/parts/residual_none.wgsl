// The branch alone: +0 where it is dropped.
fn onto(i: u32, v: vec4<f32>, kept: vec4<bool>) -> vec4<f32> { return select(vec4<f32>(0.0), v, kept); }
