// (count, mean, M2) of each channel, for lib/channels/shifted_moments to merge with those of other ranks. A few lanes per channel: merges
// the channel's last partials in order. Before it: lib/channels/reduce with lib/channels/moments, and the reduction levels.
//!use lib/partition/grid
//!use lib/channels/channel_moments

// Buffers: partials, values (one), mean, m2.

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn batch_norm_statistics(@builtin(workgroup_id) wid: vec3<u32>,
                         @builtin(num_workgroups) count: vec3<u32>,
                         @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    let c = channel_of(block, lane);
    let all = channel_moments(c, lane);
    if c >= params.channels || !leads(lane) { return; }
    let failed = (bitcast<u32>(all.z) & 0x7fffffffu) >= 0x7f800000u;
    mean_put(c, all.y + all.z);
    m2_put(c, select(all.w, all.z, failed));
    // Host and kernel know the count; whoever merges does not.
    if c == 0u { values_put(0u, params.values); }
}
