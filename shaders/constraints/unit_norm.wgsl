// The factor of each unit: 1 / (own.x + norm). Before it: lib/unit_partials with lib/unit_squares; after it: lib/unit_scale.
//!use lib/unit_coefs
fn coefficient(sums: vec4<f32>, own: vec4<f32>, unit: u32) -> f32 {
    let norm = finite_or_nan(norm_of(sums));
    return select(1.0 / (own.x + norm), norm, bitcast<u32>(norm) > 0x7f800000u);
}
