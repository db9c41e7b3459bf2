// The first pass of SAM: the squares of reach·grad over every tensor of an arena, one partial per block of WG * QUADS quads,
// lanes side by side. Open: reach.
//!use lib/partition/grid
//!use lib/arena/segments
//!use lib/reduce/workgroup
//!use lib/reduce/sum_vec4
//!use lib/reduce/scaled_squares

// Buffers: grad (read), weight (read, with averaging/parts/sam_adaptive), table, partials (written).

override WG: u32 = 256;
override QUADS: u32 = 4;

@compute @workgroup_size(WG)
fn sam_norm(@builtin(workgroup_id) wid: vec3<u32>,
            @builtin(num_workgroups) count: vec3<u32>,
            @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let b = find_block(params.first + block, WG * QUADS);
    let lane = lane_of(index, WG);
    var sums = Squares(vec4<f32>(0.0), vec4<f32>(0.0), vec4<f32>(0.0));
    for (var k = 0u; k < QUADS; k++) {
        let q = b.start + k * WG + lane;
        if q < params.lo || q >= b.end { continue; }
        let i = q - params.base;
        sums = with_squares(sums, select(vec4<f32>(0.0), reach(i) * grad_load(i), live(b, q)));
    }
    let all = reduce(lane, partial_of(sums));
    if lane == 0u { partials[params.partial + block] = all; }
}
