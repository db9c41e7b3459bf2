// g += λ1·sign(w) + slope·w, with slope = 2·λ2 or λ2 by convention, over every tensor of an arena.
// One workgroup per block of WG * QUADS quads, lanes side by side.
//!use lib/partition/grid
//!use lib/arena/segments
//!use lib/arena/elastic

// Buffers: weight (read), grad (updated), table.

override WG: u32 = 256;
override QUADS: u32 = 4;

@compute @workgroup_size(WG)
fn penalty_grad(@builtin(workgroup_id) wid: vec3<u32>,
                @builtin(num_workgroups) count: vec3<u32>,
                @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let b = find_block(params.first + block, WG * QUADS);
    let group = group_row(b, 1u, 0u);
    for (var k = 0u; k < QUADS; k++) {
        let q = b.start + k * WG + lane_of(index, WG);
        if q < params.lo || q >= b.end { continue; }
        let i = q - params.base;
        let w = weight_load(i);
        let g = grad_load(i);
        grad_store(i, select(g, g + elastic_gradient(w, group.x, group.y), live(b, q)));
    }
}
