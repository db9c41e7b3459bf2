// 1 / norm from sums of squares in three scales: 0 for a norm that is 0 or below the normal numbers, NaN where it is not finite or its
// inverse no normal number.
//!use lib/reduce/scaled_squares
fn inverse_norm_of(sums: vec4<f32>) -> f32 {
    let bits = bitcast<u32>(norm_of(sums));
    let size = bits & 0x7fffffffu;
    // 2^-126 to 2^126.
    let normal = size >= 0x00800000u && size <= 0x7e800000u;
    let inverse = select(0.0, 1.0 / bitcast<f32>(select(0x3f800000u, bits, normal)), normal);
    return select(inverse, bitcast<f32>(bits | 0x7fc00000u), size > 0x7e800000u);
}
