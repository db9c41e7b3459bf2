// The factor of each unit's gradients: 1 where their norm is below most = own.x·max(‖w‖, own.y), else most / max(‖g‖, 1e-6).
// Before it: lib/unitwise/partials with lib/unitwise/squares over weights and over gradients, and the weights' norms by lib/unitwise/norm;
// after it: lib/unitwise/scale.
//!use lib/unitwise/coefs
fn coefficient(sums: vec4<f32>, own: vec4<f32>, unit: u32) -> f32 {
    let norm = finite_or_nan(norm_of(sums));
    let weight = bitcast<f32>(scratch[params.beside + unit]);
    let most = own.x * max(weight, own.y);
    // Numbers that are not negative order as their bits do, and NaN comes last.
    let bits = bitcast<u32>(norm);
    let factor = select(most / max(norm, 1e-6), 1.0, bits < bitcast<u32>(most));
    return select(select(factor, norm, bits > 0x7f800000u), weight, bitcast<u32>(weight) > 0x7f800000u);
}
