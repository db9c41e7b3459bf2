// The factor of each unit: own.x / (norm + own.y) where its norm is above own.x, else 1; with own.z = 1, min(norm, own.x) /
// (norm + own.y) everywhere. Before it: lib/unitwise/partials with lib/unitwise/squares; after it: lib/unitwise/scale.
//!use lib/unitwise/coefs
fn coefficient(sums: vec4<f32>, own: vec4<f32>, unit: u32) -> f32 {
    let norm = finite_or_nan(norm_of(sums));
    let bits = bitcast<u32>(norm);
    // Norms are not negative, so they order as their bits do.
    let above = bits > bitcast<u32>(own.x);
    let factor = select(norm, own.x, above) / (norm + own.y);
    return select(select(factor, 1.0, own.z == 0.0 && !above), norm, bits > 0x7f800000u);
}
