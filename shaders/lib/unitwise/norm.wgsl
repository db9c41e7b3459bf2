// The norm itself. For lib/unitwise/coefs.
fn coefficient(sums: vec4<f32>, own: vec4<f32>, unit: u32) -> f32 {
    return finite_or_nan(norm_of(sums));
}
