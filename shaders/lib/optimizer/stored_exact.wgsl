// The weights are f32, or nobody needs to know what storing makes of them.
fn as_stored(q: u32, w: vec4<f32>) -> vec4<f32> { return w; }
