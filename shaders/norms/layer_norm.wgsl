// mean = K + d, variance = M2 / cols, rstd = 1 / sqrt(variance + eps), for each row.
// A few lanes per row: merges the row's last partials in order and leaves what lib/channels/apply needs with
// norms/parts/normalize_rows: (K, d, rstd, 0). Before it: lib/channels/reduce with lib/channels/moments, a row being a channel, and the
// reduction levels.
//!use lib/partition/grid
//!use lib/channels/channel_moments
//!use lib/channels/inverse_std

// Buffers: partials (with the coefficients from entry `coefs` on), mean, rstd.

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn layer_norm(@builtin(workgroup_id) wid: vec3<u32>,
              @builtin(num_workgroups) count: vec3<u32>,
              @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    let r = channel_of(block, lane);
    let all = channel_moments(r, lane);
    if r >= params.channels || !leads(lane) { return; }
    var rstd = inverse_std(all.w / params.values, params.eps);
    if (bitcast<u32>(all.z) & 0x7fffffffu) >= 0x7f800000u { rstd = all.z; }
    mean_put(r, all.y + all.z);
    rstd_put(r, rstd);
    partials[params.coefs + r] = vec4<f32>(all.y, all.z, rstd, 0.0);
}
