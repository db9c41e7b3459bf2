// The entries of a product of a matrix and a vector, from their last partials, one lane for each; and one partial for each
// workgroup of what is summed over them, which a part says: norms/parts/entry_square, norms/parts/entry_product.
//!use lib/partition/grid
//!use lib/reduce/workgroup
//!use lib/reduce/sum_vec4

// Buffers: partials (with those of workgroups from entry `sums` on), vector.

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn vector_sums(@builtin(workgroup_id) wid: vec3<u32>,
               @builtin(num_workgroups) count: vec3<u32>,
               @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    let c = block * WG + lane;
    var mine = NOTHING;
    if c < params.channels {
        var sum = NOTHING;
        for (var i = 0u; i < params.count; i++) { sum = merge(sum, partials[c * params.row + i * params.stride]); }
        mine = entry(c, sum.x);
    }
    let all = reduce(lane, mine);
    if lane == 0u { partials[params.sums + block] = all; }
}
