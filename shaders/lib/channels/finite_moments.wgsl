// Infinities and overflows are not rounded to something finite: the whole channel becomes NaN, at every level.
// Statistics are (count, K, mean - K, M2); the third word says so to those who come after.
fn finite_moments(moments: vec4<f32>) -> vec4<f32> {
    var all = moments;
    let bits = bitcast<u32>(all.w) | bitcast<u32>(all.z);
    if (bitcast<u32>(all.w) & 0x7fffffffu) >= 0x7f800000u { all.z = bitcast<f32>(bits | 0x7fc00000u); }
    return all;
}
