// Weights as bf16 holds them.
//!use lib/wgsl/pack_bf16
fn as_stored(q: u32, w: vec4<f32>) -> vec4<f32> { return unpack_bf16(pack_bf16(w)); }
