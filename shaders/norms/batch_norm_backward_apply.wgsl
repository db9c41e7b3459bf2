// dx = weight * rstd * (g - (sum g + xhat * sum g * xhat) / m) with sums and m of all ranks. One lane per channel leaves
// (mean, weight * rstd, sum g / m, rstd * sum g xhat / m) for lib/channels/apply with lib/channels/normalize_backward_open.
//!use lib/partition/grid

// Buffers: coefs, mean, rstd, weight, sum_dy, sum_dy_xhat, values (one).

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn batch_norm_backward_apply(@builtin(workgroup_id) wid: vec3<u32>,
                             @builtin(num_workgroups) count: vec3<u32>,
                             @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    let c = block * WG + lane_of(index, WG);
    if block >= params.blocks || c >= params.channels { return; }
    let rstd = rstd_at(c);
    let m = values_at(0u);
    coefs[c] = vec4<f32>(mean_at(c), weight_at(c) * rstd, sum_dy_at(c) / m, rstd * (sum_dy_xhat_at(c) / m));
}
