// sum g and sum g * xhat of each channel, g being dy as it comes back through the activation. One lane per channel: adds the channel's
// last partials in order. Before it: lib/channel_reduce with lib/products_open, and the fold's levels.
//!use lib/grid
//!use lib/sum_vec4

struct Params { blocks: u32, channels: u32, row: u32, stride: u32, count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
// Buffers: partials, sum_dy, sum_dy_xhat.

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn batch_norm_backward_sums(@builtin(workgroup_id) wid: vec3<u32>,
                            @builtin(num_workgroups) count: vec3<u32>,
                            @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    let c = block * WG + lane_of(index, WG);
    if block >= params.blocks || c >= params.channels { return; }
    var all = NOTHING;
    for (var i = 0u; i < params.count; i++) { all = merge(all, partials[c * params.row + i * params.stride]); }
    sum_dy_put(c, all.x);
    sum_dy_xhat_put(c, all.y);
}
