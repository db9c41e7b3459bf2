// The penalty of each unit: own.x·‖w‖ + own.y·Σ|w|, with own.x = λ·√d or λ, and own.y = λ1. A term whose factor is 0 is absent.
// Before it: lib/unitwise/partials with penalties/parts/unit_squares_sum. After it: the reduction levels over all units.
//!use lib/unitwise/coefs
fn coefficient(sums: vec4<f32>, own: vec4<f32>, unit: u32) -> f32 {
    return select(0.0, own.x * norm_of(sums), own.x != 0.0) + select(0.0, own.y * sums.w, own.y != 0.0);
}
