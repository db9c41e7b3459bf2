// The last partials of a channel, merged in order: (count, K, mean - K, M2), NaN where something is not finite.
// Buffer: partials; parameters: row, stride, count.
//!use lib/chan_shifted
//!use lib/finite_moments
fn channel_moments(c: u32) -> Partial {
    var all = NOTHING;
    for (var i = 0u; i < params.count; i++) { all = merge(all, partials[c * params.row + i * params.stride]); }
    return finite_moments(all);
}
