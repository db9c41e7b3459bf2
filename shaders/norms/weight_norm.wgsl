// 1 / norm of each filter. A few lanes per filter: adds the filter's last partials in order and leaves what lib/channels/apply needs with
// norms/parts/scale_filters: (1 / norm, g, 0, 0). Before it: lib/channels/reduce with norms/parts/channel_norm, and the reduction levels.
//!use lib/partition/grid
//!use lib/channels/team
//!use lib/reduce/sum_vec4
//!use norms/parts/inverse_norm

// Buffers: partials (with the coefficients from entry `coefs` on), g, inverse_norm.

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn weight_norm(@builtin(workgroup_id) wid: vec3<u32>,
               @builtin(num_workgroups) count: vec3<u32>,
               @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    let c = channel_of(block, lane);
    let all = channel_total(c, lane);
    if c >= params.channels || !leads(lane) { return; }
    let inverse = inverse_norm_of(all);
    inverse_norm_put(c, inverse);
    partials[params.coefs + c] = vec4<f32>(inverse, g_at(c), 0.0, 0.0);
}
