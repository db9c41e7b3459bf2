// r and d are constants: dbias = sum dy, dweight = r * sum dy * xhat + d * sum dy, and dx is that of batch_norm_backward with
// weight * r for the weight. A few lanes per channel leaves (mean, weight * r * rstd, dbias / m, rstd * sum dy xhat / m) for
// lib/channels/apply with lib/channels/normalize_backward_open. Before it: lib/channels/reduce with lib/channels/products_open, the reduction levels.
//!use lib/partition/grid
//!use lib/channels/team
//!use lib/reduce/sum_vec4

// Buffers: partials (with the coefficients from entry `coefs` on), mean, rstd, weight, correction, dweight, dbias.

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn batch_renorm_backward(@builtin(workgroup_id) wid: vec3<u32>,
                         @builtin(num_workgroups) count: vec3<u32>,
                         @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    let c = channel_of(block, lane);
    let all = channel_total(c, lane);
    if c >= params.channels || !leads(lane) { return; }
    let r = correction_at(c);
    dbias_put(c, all.x);
    dweight_put(c, r * all.y + correction_at(params.channels + c) * all.x);
    let rstd = rstd_at(c);
    partials[params.coefs + c] =
        vec4<f32>(mean_at(c), weight_at(c) * r * rstd, all.x / params.values, rstd * (all.y / params.values));
}
