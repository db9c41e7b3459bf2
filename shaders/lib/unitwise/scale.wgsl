// Each element times its unit's factor; a factor of 1 changes no bit.
//!use lib/unitwise/map
fn mapped(i: u32, x: vec4<f32>, c: vec4<f32>, own: vec4<f32>) -> vec4<f32> {
    return select(c * x, x, c == vec4<f32>(1.0));
}
