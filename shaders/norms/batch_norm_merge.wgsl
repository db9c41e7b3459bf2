// The statistics of a batch that lies on several ranks, from (count, mean, M2) of each: merged rank after rank by the formula
// of Chan, Golub and LeVeque, a mean being its own K. One lane per channel.
//!use lib/partition/grid
//!use lib/channels/shifted_moments
//!use lib/channels/finite_moments
//!use norms/parts/counted_outputs

// Buffers: counts, means, m2s (rank after rank), values (one), mean, rstd, running_mean, running_var.

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn batch_norm_merge(@builtin(workgroup_id) wid: vec3<u32>,
                    @builtin(num_workgroups) count: vec3<u32>,
                    @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    let c = block * WG + lane_of(index, WG);
    if block >= params.blocks || c >= params.channels { return; }
    var all = NOTHING;
    for (var r = 0u; r < params.ranks; r++) {
        let i = r * params.channels + c;
        all = merge(all, Partial(counts_at(r), means_at(i), 0.0, m2s_at(i)));
    }
    all = counted(all);
    // With one rank that has values nothing was computed that could have become NaN.
    if (bitcast<u32>(all.y) & 0x7fffffffu) >= 0x7f800000u { all.w = all.y; }
    counted_outputs(c, finite_moments(all));
    if c == 0u { values_put(0u, all.x); }
}
