// The factor of each unit: (own.z·clamp(norm, own.x, own.y) + own.w·norm) / (1e-7 + norm), with own.w = 1 - own.z.
// Before it: lib/unit_partials with lib/unit_squares; after it: lib/unit_scale.
//!use lib/unit_coefs
fn coefficient(sums: vec4<f32>, own: vec4<f32>, unit: u32) -> f32 {
    let norm = finite_or_nan(norm_of(sums));
    let desired = own.z * clamp(norm, own.x, own.y) + own.w * norm;
    return select(desired / (1e-7 + norm), norm, bitcast<u32>(norm) > 0x7f800000u);
}
