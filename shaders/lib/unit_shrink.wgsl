// What the proximal step of a norm leaves of its unit: max(1 - own.x / norm, 0), and 0 where the norm is 0. For lib/unit_coefs.
fn coefficient(sums: vec4<f32>, own: vec4<f32>, unit: u32) -> f32 {
    let norm = finite_or_nan(norm_of(sums));
    let bits = bitcast<u32>(norm) & 0x7fffffffu;
    // Magnitudes order as their bits do.
    return select(max(1.0 - own.x / norm, 0.0), select(norm, 0.0, bits <= bitcast<u32>(own.x)),
                  bits <= bitcast<u32>(own.x) || bits > 0x7f800000u);
}
