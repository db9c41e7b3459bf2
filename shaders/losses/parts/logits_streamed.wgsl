// Blocks too long for workgroup memory: each pass reads the logits again, the second one from a cache. Buffer: logits (Four).
fn fetch(lane: u32, first: u32, quads: u32) {}
fn four(first: u32, e: u32) -> vec4<f32> { return logits_four(first + e); }
