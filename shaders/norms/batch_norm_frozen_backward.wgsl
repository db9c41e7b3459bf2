// dx = weight * rstd * dy, dbias = sum dy, dweight = sum dy * (x - running_mean) * rstd, rstd = 1 / sqrt(running_var + eps).
// A few lanes per channel: adds the channel's last partials (none if nobody wants the sums) in order and leaves
// (running_mean, weight * rstd, 0, 0) for lib/channels/apply with norms/parts/scale_backward_open. With an activation, g for dy.
//!use lib/partition/grid
//!use lib/channels/team
//!use lib/channels/inverse_std
//!use lib/reduce/sum_vec4

// Buffers: partials (with the coefficients from entry `coefs` on), running_mean, running_var, weight, dweight, dbias.

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn batch_norm_frozen_backward(@builtin(workgroup_id) wid: vec3<u32>,
                              @builtin(num_workgroups) count: vec3<u32>,
                              @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    let c = channel_of(block, lane);
    let all = channel_total(c, lane);
    if c >= params.channels || !leads(lane) { return; }
    dbias_put(c, all.x);
    dweight_put(c, all.y);
    partials[params.coefs + c] = vec4<f32>(running_mean_at(c), weight_at(c) * inverse_std(running_var_at(c), params.eps), 0.0, 0.0);
}
