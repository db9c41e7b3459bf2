// What the proximal step of a norm leaves of its unit: max(1 - own.x / norm, 0), and 0 where the norm is 0. For lib/unitwise/coefs.
fn coefficient(sums: vec4<f32>, own: vec4<f32>, unit: u32) -> f32 {
    let norm = finite_or_nan(norm_of(sums));
    let bits = bitcast<u32>(norm);
    // Numbers that are not negative order as their bits do, and NaN comes last. 0 is never above, so it divides nothing.
    let above = bits > bitcast<u32>(own.x);
    return select(0.0, select(max(1.0 - own.x / norm, 0.0), norm, bits > 0x7f800000u), above);
}
