// sum g and sum g * xhat of each channel, g being dy as it comes back through the activation. A few lanes per channel: adds the channel's
// last partials in order. Before it: lib/channels/reduce with lib/channels/products_open, and the reduction levels.
//!use lib/partition/grid
//!use lib/channels/team
//!use lib/reduce/sum_vec4

// Buffers: partials, sum_dy, sum_dy_xhat.

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn batch_norm_backward_sums(@builtin(workgroup_id) wid: vec3<u32>,
                            @builtin(num_workgroups) count: vec3<u32>,
                            @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    let c = channel_of(block, lane);
    let all = channel_total(c, lane);
    if c >= params.channels || !leads(lane) { return; }
    sum_dy_put(c, all.x);
    sum_dy_xhat_put(c, all.y);
}
