// w <- sign(w)·max(|w| - t, 0) / d, with t = step·λ1 and d = 1 + step·slope, over every tensor of an arena, and one count
// of the weights that the threshold sets to zero per block of WG * QUADS quads, lanes side by side.
//!use lib/partition/grid
//!use lib/arena/segments
//!use lib/arena/elastic
//!use lib/reduce/workgroup
//!use lib/reduce/sum_u32

// Buffers: weight (updated), table, partials (written).

override WG: u32 = 256;
override QUADS: u32 = 4;

@compute @workgroup_size(WG)
fn prox(@builtin(workgroup_id) wid: vec3<u32>,
        @builtin(num_workgroups) count: vec3<u32>,
        @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let b = find_block(params.first + block, WG * QUADS);
    let group = group_row(b, 1u, 0u);
    let lane = lane_of(index, WG);
    var zeros = vec4<u32>(0u);
    for (var k = 0u; k < QUADS; k++) {
        let q = b.start + k * WG + lane;
        if q < params.lo || q >= b.end { continue; }
        let w = weight_load(q - params.base);
        let ours = live(b, q);
        weight_store(q - params.base, select(w, elastic_prox(w, group.x, group.y), ours));
        zeros += select(vec4<u32>(0u), vec4<u32>(1u), elastic_zeros(w, group.x) & ours);
    }
    let all = reduce(lane, (zeros.x + zeros.y) + (zeros.z + zeros.w));
    if lane == 0u { partials[params.partial + block] = all; }
}
