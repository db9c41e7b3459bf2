// Mean, rstd and running statistics of each channel's kept values: norms/parts/counted_outputs. A few lanes per channel: merges the
// channel's last partials in order and leaves (K, d, weight * rstd, bias) for lib/channels/apply with lib/channels/normalize_open.
// Before it: lib/channels/reduce with norms/parts/moments_masked, and the reduction levels.
//!use lib/partition/grid
//!use lib/channels/channel_moments
//!use norms/parts/counted_outputs

// Buffers: partials (with the coefficients from entry `coefs` on), weight, bias, mean, rstd, running_mean, running_var.

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn batch_norm_masked(@builtin(workgroup_id) wid: vec3<u32>,
                     @builtin(num_workgroups) count: vec3<u32>,
                     @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    let c = channel_of(block, lane);
    let all = counted(channel_moments(c, lane));
    if c >= params.channels || !leads(lane) { return; }
    let rstd = counted_outputs(c, all);
    partials[params.coefs + c] = vec4<f32>(all.y, all.z, weight_at(c) * rstd, bias_at(c));
}
