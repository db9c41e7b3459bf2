// One lane per channel leaves (mean, 0, weight * rstd, bias) for lib/channels/apply with lib/channels/normalize_open.
//!use lib/partition/grid

// Buffers: coefs, mean, rstd, weight, bias.

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn batch_norm_apply(@builtin(workgroup_id) wid: vec3<u32>,
                    @builtin(num_workgroups) count: vec3<u32>,
                    @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    let c = block * WG + lane_of(index, WG);
    if block >= params.blocks || c >= params.channels { return; }
    coefs[c] = vec4<f32>(mean_at(c), 0.0, weight_at(c) * rstd_at(c), bias_at(c));
}
