// Weights as f16 holds them.
//!use lib/wgsl/pack_f16
fn as_stored(q: u32, w: vec4<f32>) -> vec4<f32> { return unpack_f16(pack_f16(w)); }
