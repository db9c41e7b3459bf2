// Each number of an arena, a gradient or a weight, becomes what the op makes of it, in place. One workgroup per block of
// WG * QUADS quads, lanes side by side. Open: mapped(block, quad, gradients). Needs `params` with the words of a window.
// Buffers: grad (updated), table.
//!use lib/partition/grid
//!use lib/arena/segments

override WG: u32 = 256;
override QUADS: u32 = 4;

fn map_arena(wid: vec3<u32>, count: vec3<u32>, index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let b = find_block(params.first + block, WG * QUADS);
    for (var k = 0u; k < QUADS; k++) {
        let q = b.start + k * WG + lane_of(index, WG);
        if q < params.lo || q >= b.end { continue; }
        let i = q - params.base;
        let g = grad_load(i);
        grad_store(i, select(g, mapped(b, q, g), live(b, q)));
    }
}
