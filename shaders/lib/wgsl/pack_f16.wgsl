// IEEE binary16 by WGSL's pack and unpack. Four values are two words.
// Where lanes may branch (on a GPU), values for which packing says all go by without the rest.
override BRANCHES: bool = false;

fn unpack_f16(w: vec2<u32>) -> vec4<f32> {
    return vec4<f32>(unpack2x16float(w.x), unpack2x16float(w.y));
}

// WGSL leaves open what packing does past the largest half, and how it rounds there. Ours: to nearest, so infinity from
// 65520 on and 65504 below; NaN stays NaN.
fn pack_f16(v: vec4<f32>) -> vec2<u32> {
    if BRANCHES {
        // Not so for NaN.
        if all(abs(v) < vec4<f32>(65504.0)) { return vec2<u32>(pack2x16float(v.xy), pack2x16float(v.zw)); }
    }
    let magnitude = bitcast<vec4<u32>>(v) & vec4<u32>(0x7fffffffu);
    let bounded = clamp(v, vec4<f32>(-65504.0), vec4<f32>(65504.0));
    let w = vec2<u32>(pack2x16float(bounded.xy), pack2x16float(bounded.zw));
    let sign = (bitcast<vec4<u32>>(v) >> vec4<u32>(16u)) & vec4<u32>(0x8000u);
    let special = sign | select(vec4<u32>(0x7c00u), vec4<u32>(0x7e00u), magnitude > vec4<u32>(0x7f800000u));
    let h = select(vec4<u32>(w.x & 0xffffu, w.x >> 16u, w.y & 0xffffu, w.y >> 16u), special, magnitude >= vec4<u32>(0x477ff000u));
    return vec2<u32>(h.x | (h.y << 16u), h.z | (h.w << 16u));
}
