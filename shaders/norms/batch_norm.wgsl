// Mean, rstd and running statistics of each channel: norms/parts/batch_outputs.
// A few lanes per channel: merges the channel's last partials in order and leaves what lib/channels/apply needs with
// lib/channels/normalize_open: (K, d, weight * rstd, bias). Before it: lib/channels/reduce with lib/channels/moments, and the reduction levels.
//!use lib/partition/grid
//!use lib/channels/channel_moments
//!use norms/parts/batch_outputs

// Buffers: partials (with the coefficients from entry `coefs` on), weight, bias, mean, rstd, running_mean, running_var.

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn batch_norm(@builtin(workgroup_id) wid: vec3<u32>,
              @builtin(num_workgroups) count: vec3<u32>,
              @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    let c = channel_of(block, lane);
    let all = channel_moments(c, lane);
    if c >= params.channels || !leads(lane) { return; }
    let rstd = batch_outputs(c, all, params.values, params.divisor);
    partials[params.coefs + c] = vec4<f32>(all.y, all.z, weight_at(c) * rstd, bias_at(c));
}
