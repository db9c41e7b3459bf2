// Mean and 1 / deviation of each filter, and how strongly the variance pulls on the gradient.
// A few lanes per filter: merges the filter's last partials in order and leaves what lib/channels/apply needs with
// lib/channels/normalize_open: (K, mean - K, gain * rstd, 0). Before it: lib/channels/reduce with lib/channels/moments, and the reduction levels.
//!use lib/partition/grid
//!use lib/channels/channel_moments
//!use norms/parts/standard_spread

// Buffers: partials (with the coefficients from entry `coefs` on), gain, mean, rstd, slope.

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn weight_standardization(@builtin(workgroup_id) wid: vec3<u32>,
                          @builtin(num_workgroups) count: vec3<u32>,
                          @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    let c = channel_of(block, lane);
    let all = channel_moments(c, lane);
    if c >= params.channels || !leads(lane) { return; }
    var s = spread(all.w / params.divisor);
    if (bitcast<u32>(all.z) & 0x7fffffffu) >= 0x7f800000u { s = vec2<f32>(all.z); }
    mean_put(c, all.y + all.z);
    rstd_put(c, s.x);
    slope_put(c, s.y);
    partials[params.coefs + c] = vec4<f32>(all.y, all.z, gain_at(c) * s.x, 0.0);
}
