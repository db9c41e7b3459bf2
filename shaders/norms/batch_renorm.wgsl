// r = clip(deviation of the batch / running deviation), d = clip((mean of the batch - running mean) / running deviation), and
// what batch_norm leaves: norms/parts/batch_outputs. A few lanes per channel: merges the channel's last partials in order and leaves
// (K, mean - K, weight * rstd * r, bias + weight * d) for lib/channels/apply with lib/channels/normalize_open.
// Before it: lib/channels/reduce with lib/channels/moments, and the reduction levels.
//!use lib/partition/grid
//!use lib/channels/channel_moments
//!use norms/parts/batch_outputs
//!use norms/parts/clipped

// Buffers: partials (with the coefficients from entry `coefs` on), weight, bias, mean, rstd, running_mean, running_var,
// correction (r of every channel, then d).

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn batch_renorm(@builtin(workgroup_id) wid: vec3<u32>,
                @builtin(num_workgroups) count: vec3<u32>,
                @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    let c = channel_of(block, lane);
    let all = channel_moments(c, lane);
    if c >= params.channels || !leads(lane) { return; }
    // Before they are updated.
    let center = running_mean_at(c);
    let within = inverse_std(running_var_at(c), params.eps);
    let rstd = batch_outputs(c, all, params.values, params.divisor);
    // NaN where something is not finite, as rstd is.
    let r = clipped(sqrt(all.w / params.values + params.eps) * within, params.r_least, params.r_most);
    let d = clipped(((all.y - center) + all.z) * within, -params.d_most, params.d_most);
    correction_put(c, r);
    correction_put(params.channels + c, d);
    let weight = weight_at(c);
    partials[params.coefs + c] = vec4<f32>(all.y, all.z, weight * rstd * r, bias_at(c) + weight * d);
}
