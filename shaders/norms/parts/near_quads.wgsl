// Four elements somewhere near, planes being whole quads: they lie together. Buffer: x.
fn x_near(e: vec4<u32>) -> vec4<f32> { return x_four(e.x); }
