// IEEE binary16, rounded to nearest, ties to even. Four values are two words.
// Where lanes may branch (on a GPU), values that are 0 or become normal halves are packed by the hardware.
override BRANCHES: bool = false;

fn unpack_f16(w: vec2<u32>) -> vec4<f32> {
    return vec4<f32>(unpack2x16float(w.x), unpack2x16float(w.y));
}

// Of each word the lower half.
fn lower_halves(h: vec4<u32>) -> vec2<u32> {
    return vec2<u32>(h.x | (h.y << 16u), h.z | (h.w << 16u));
}

// By integers, since WGSL leaves open how packing rounds, and what it does past the largest half and below the least normal one:
// SwiftShader takes what lies just above the middle of two subnormal halves for the middle. NaN stays NaN.
fn pack_f16(v: vec4<f32>) -> vec2<u32> {
    let b = bitcast<vec4<u32>>(v);
    let magnitude = b & vec4<u32>(0x7fffffffu);
    if BRANCHES {
        // From 2^-14 to below 65504.
        let usual = (magnitude - vec4<u32>(0x38800000u)) < vec4<u32>(0x0effe000u);
        if all(usual | (magnitude == vec4<u32>(0u))) { return vec2<u32>(pack2x16float(v.xy), pack2x16float(v.zw)); }
    }
    let sign = (b >> vec4<u32>(16u)) & vec4<u32>(0x8000u);
    // The exponent of f32 counts from 112 less. Rounding may carry into it, and from 65520 on into infinity.
    let normal = (magnitude + vec4<u32>(0xc8000fffu) + ((magnitude >> vec4<u32>(13u)) & vec4<u32>(1u))) >> vec4<u32>(13u);
    // Below 2^-14 halves are multiples of 2^-24: the significand without so many of its bits. Without 25 it is 0.
    let significand = (magnitude & vec4<u32>(0x7fffffu)) | vec4<u32>(0x800000u);
    let drop = min(vec4<u32>(126u) - min(magnitude >> vec4<u32>(23u), vec4<u32>(112u)), vec4<u32>(25u));
    let odd = (significand >> drop) & vec4<u32>(1u);
    let small = (significand + (vec4<u32>(1u) << (drop - vec4<u32>(1u))) - vec4<u32>(1u) + odd) >> drop;
    let finite = select(min(normal, vec4<u32>(0x7c00u)), small, magnitude < vec4<u32>(0x38800000u));
    return lower_halves(sign | select(finite, vec4<u32>(0x7e00u), magnitude > vec4<u32>(0x7f800000u)));
}
