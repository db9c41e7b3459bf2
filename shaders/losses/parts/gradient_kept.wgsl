// The gradient of a loss is wanted. Buffer: gradient_out (Quads or Ragged).
const GRADIENT: bool = true;
fn gradient_store(q: u32, v: vec4<f32>) { gradient_out_store(q, v); }
