// With g = dy * weight: dx = rstd * (g - xhat * sum g xhat / cols), the sum over the row.
// A few lanes per row: adds the row's last partials in order and leaves what lib/channels/apply needs with
// lib/rows/normalize_backward: (0, rstd, 0, rstd * sum g xhat / cols). Before it: lib/channels/reduce with lib/channels/products, a row
// being a channel, and the reduction levels. dweight: lib/rows/column_products, lib/rows/column_gradients.
//!use lib/partition/grid
//!use lib/channels/team
//!use lib/reduce/sum_vec4

// Buffers: partials (with the coefficients from entry `coefs` on), rstd.

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn rms_norm_backward(@builtin(workgroup_id) wid: vec3<u32>,
                     @builtin(num_workgroups) count: vec3<u32>,
                     @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    let r = channel_of(block, lane);
    let all = channel_total(r, lane);
    if r >= params.channels || !leads(lane) { return; }
    let rstd = rstd_at(r);
    partials[params.coefs + r] = vec4<f32>(0.0, rstd, 0.0, rstd * (all.y / params.values));
}
