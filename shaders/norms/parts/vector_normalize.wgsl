// Divides a vector by its norm, or by eps where the norm is less. One lane for each entry. Before it: norms/parts/vector_sums.
//!use lib/partition/grid
//!use lib/reduce/scaled_squares
//!use norms/parts/last_sums

// Buffers: sums, vector (updated).

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn vector_normalize(@builtin(workgroup_id) wid: vec3<u32>,
                    @builtin(num_workgroups) count: vec3<u32>,
                    @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    let c = block * WG + lane_of(index, WG);
    if block >= params.blocks || c >= params.channels { return; }
    let norm = or_nan(norm_of(last_sums()));
    // NaN, by its bits: a comparison may be taken never to see it.
    let bad = (bitcast<u32>(norm) & 0x7fffffffu) > 0x7f800000u;
    vector_put(c, select(vector_at(c) / max(norm, params.eps), norm, bad));
}
