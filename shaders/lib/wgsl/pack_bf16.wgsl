// bfloat16: the upper half of an f32, rounded to nearest, ties to even. Four values are two words.
fn unpack_bf16(w: vec2<u32>) -> vec4<f32> {
    return bitcast<vec4<f32>>(vec4<u32>(w.x << 16u, w.x & 0xffff0000u, w.y << 16u, w.y & 0xffff0000u));
}

// Of each word the upper half.
fn upper_halves(r: vec4<u32>) -> vec2<u32> {
    return vec2<u32>((r.x >> 16u) | (r.y & 0xffff0000u), (r.z >> 16u) | (r.w & 0xffff0000u));
}

fn pack_bf16(v: vec4<f32>) -> vec2<u32> {
    let b = bitcast<vec4<u32>>(v);
    let rounded = b + vec4<u32>(0x7fffu) + ((b >> vec4<u32>(16u)) & vec4<u32>(1u));
    // Rounding would carry a NaN's payload into an infinity or a zero: keep it quiet instead.
    let nan = (b & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u);
    return upper_halves(select(rounded, b | vec4<u32>(0x400000u), nan));
}
