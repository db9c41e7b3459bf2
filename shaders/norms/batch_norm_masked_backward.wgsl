// As batch_norm_backward, with the sums and the count of the values that the mask keeps. A few lanes per channel leaves
// (mean, weight * rstd, dbias / m, rstd * dweight / m) for lib/channels/apply with lib/channels/normalize_backward_open.
//!use lib/partition/grid
//!use lib/channels/team
//!use lib/reduce/sum_vec4

// Buffers: partials (with the coefficients from entry `coefs` on), mean, rstd, weight, dweight, dbias.

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn batch_norm_masked_backward(@builtin(workgroup_id) wid: vec3<u32>,
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
    let rstd = rstd_at(c);
    let m = max(all.z, 1.0);
    partials[params.coefs + c] = vec4<f32>(mean_at(c), weight_at(c) * rstd, all.x / m, rstd * (all.y / m));
}
