// As norms/parts/near_quads. Buffer: dy.
fn dy_near(e: vec4<u32>) -> vec4<f32> { return dy_four(e.x); }
