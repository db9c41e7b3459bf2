// Batch renormalisation's clip, in which a NaN stays: min and max may return either operand then.
fn clipped(v: f32, low: f32, high: f32) -> f32 {
    return select(clamp(v, low, high), v, (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u);
}
