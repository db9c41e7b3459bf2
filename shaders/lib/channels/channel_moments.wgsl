// The last partials of a channel, merged in order: (count, K, mean - K, M2), NaN where something is not finite.
// For the lane that leads, in uniform control flow, as lib/channels/team has it.
//!use lib/channels/shifted_moments
//!use lib/channels/team
//!use lib/channels/finite_moments
fn channel_moments(c: u32, lane: u32) -> Partial {
    return finite_moments(channel_total(c, lane));
}
