// The factor of each unit: 1 / (own.x + norm). Before it: lib/unitwise/partials with lib/unitwise/squares; after it: lib/unitwise/scale.
//!use lib/unitwise/coefs
fn coefficient(sums: vec4<f32>, own: vec4<f32>, unit: u32) -> f32 {
    let norm = finite_or_nan(norm_of(sums));
    return select(1.0 / (own.x + norm), norm, bitcast<u32>(norm) > 0x7f800000u);
}
