// The last partials of a channel, merged in order: (count, K, mean - K, M2). Buffer: partials; parameters: row, stride, count.
//!use lib/chan_shifted
fn channel_moments(c: u32) -> Partial {
    var all = NOTHING;
    for (var i = 0u; i < params.count; i++) { all = merge(all, partials[c * params.row + i * params.stride]); }
    // Infinities and overflows are not rounded to something finite: the whole channel becomes NaN, at every level.
    let bits = bitcast<u32>(all.w) | bitcast<u32>(all.z);
    if (bitcast<u32>(all.w) & 0x7fffffffu) >= 0x7f800000u { all.z = bitcast<f32>(bits | 0x7fc00000u); }
    return all;
}
