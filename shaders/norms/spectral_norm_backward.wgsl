// What lib/channels/apply needs with norms/parts/rank_one: (u·⟨dy, weight⟩/sigma, sigma, 0, 0) for each row. One lane per row. Before it:
// lib/channels/reduce with norms/parts/dot_products, and the reduction levels.
//!use lib/partition/grid
//!use lib/reduce/sum_vec4

// Buffers: partials (with the coefficients from entry `coefs` on), u, sigma.

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn spectral_norm_backward(@builtin(workgroup_id) wid: vec3<u32>,
                          @builtin(num_workgroups) count: vec3<u32>,
                          @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    let r = block * WG + lane_of(index, WG);
    if block >= params.blocks || r >= params.channels { return; }
    var all = NOTHING;
    for (var i = 0u; i < params.count; i++) { all = merge(all, partials[i * params.stride]); }
    let s = sigma_at(0u);
    partials[params.coefs + r] = vec4<f32>(u_at(r) * (all.x / s), s, 0.0, 0.0);
}
