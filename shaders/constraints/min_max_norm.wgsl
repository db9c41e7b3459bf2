// The factor of each unit: (own.z·clamp(norm, own.x, own.y) + own.w·norm) / (1e-7 + norm), with own.w = 1 - own.z.
// Before it: lib/unitwise/partials with lib/unitwise/squares; after it: lib/unitwise/scale.
//!use lib/unitwise/coefs
fn coefficient(sums: vec4<f32>, own: vec4<f32>, unit: u32) -> f32 {
    let norm = finite_or_nan(norm_of(sums));
    let desired = own.z * clamp(norm, own.x, own.y) + own.w * norm;
    return select(desired / (1e-7 + norm), norm, bitcast<u32>(norm) > 0x7f800000u);
}
