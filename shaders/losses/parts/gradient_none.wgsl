// Only the value of a loss is wanted.
const GRADIENT: bool = false;
fn gradient_store(q: u32, v: vec4<f32>) {}
