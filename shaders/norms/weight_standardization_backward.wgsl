// dgain = sum dy * xhat, dx = gain * rstd * (dy - sum dy / values - (x - mean) * slope * dgain), the sums over the filter.
// A few lanes per filter: adds the filter's last partials in order and leaves what lib/channels/apply needs with
// lib/channels/normalize_backward_open: (mean, gain * rstd, sum dy / values, slope * dgain). Before it: lib/channels/reduce with
// lib/channels/products_open, and the reduction levels.
//!use lib/partition/grid
//!use lib/channels/team
//!use lib/reduce/sum_vec4

// Buffers: partials (with the coefficients from entry `coefs` on), mean, rstd, slope, gain, dgain.

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn weight_standardization_backward(@builtin(workgroup_id) wid: vec3<u32>,
                                   @builtin(num_workgroups) count: vec3<u32>,
                                   @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    let c = channel_of(block, lane);
    let all = channel_total(c, lane);
    if c >= params.channels || !leads(lane) { return; }
    dgain_put(c, all.y);
    partials[params.coefs + c] =
        vec4<f32>(mean_at(c), gain_at(c) * rstd_at(c), all.x / params.values, slope_at(c) * all.y);
}
