// The last partials of a channel, merged in order: (count, K, mean - K, M2), NaN where something is not finite.
// For the lane that leads, in uniform control flow, as lib/channel_team has it.
//!use lib/chan_shifted
//!use lib/channel_team
//!use lib/finite_moments
fn channel_moments(c: u32, lane: u32) -> Partial {
    return finite_moments(channel_total(c, lane));
}
