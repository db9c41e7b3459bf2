// rstd = 1 / sqrt(running_var + eps); one lane per channel leaves (running_mean, 0, weight * rstd, bias) for
// lib/channels/apply with lib/channels/normalize_open.
//!use lib/partition/grid
//!use lib/channels/inverse_std

// Buffers: running_mean, running_var, weight, bias, coefs.

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn batch_norm_inference(@builtin(workgroup_id) wid: vec3<u32>,
                        @builtin(num_workgroups) count: vec3<u32>,
                        @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    let c = block * WG + lane_of(index, WG);
    if block >= params.blocks || c >= params.channels { return; }
    let scale = weight_at(c) * inverse_std(running_var_at(c), params.eps);
    coefs[c] = vec4<f32>(running_mean_at(c), 0.0, scale, bias_at(c));
}
