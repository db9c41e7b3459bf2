// The last partials of norms/parts/vector_sums, added in order. Buffer: sums.
//!use lib/reduce/sum_vec4
fn last_sums() -> vec4<f32> {
    var all = NOTHING;
    for (var i = 0u; i < params.count; i++) { all = merge(all, sums[i * params.stride]); }
    return all;
}

// A number, or NaN in place of one that is not finite.
fn or_nan(x: f32) -> f32 {
    let bits = bitcast<u32>(x);
    return select(x, bitcast<f32>(bits | 0x7fc00000u), (bits & 0x7fffffffu) >= 0x7f800000u);
}
