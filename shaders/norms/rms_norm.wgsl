// rstd = 1 / sqrt(sum of squares / cols + eps), for each row.
// A few lanes per row: adds the row's last partials in order and leaves what lib/channels/apply needs with norms/parts/scale_rows:
// (rstd, 0, 0, 0). Before it: lib/channels/reduce with norms/parts/squares, a row being a channel, and the reduction levels.
//!use lib/partition/grid
//!use lib/channels/team
//!use lib/reduce/sum_vec4
//!use lib/channels/inverse_std

// Buffers: partials (with the coefficients from entry `coefs` on), rstd.

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn rms_norm(@builtin(workgroup_id) wid: vec3<u32>,
            @builtin(num_workgroups) count: vec3<u32>,
            @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    let r = channel_of(block, lane);
    let all = channel_total(r, lane);
    if r >= params.channels || !leads(lane) { return; }
    var rstd = inverse_std(all.x / params.values, params.eps);
    // What is infinite is not to become 0 by division: the whole row becomes NaN.
    let bits = bitcast<u32>(all.x);
    if (bits & 0x7fffffffu) >= 0x7f800000u { rstd = bitcast<f32>(bits | 0x7fc00000u); }
    rstd_put(r, rstd);
    partials[params.coefs + r] = vec4<f32>(rstd, 0.0, 0.0, 0.0);
}
