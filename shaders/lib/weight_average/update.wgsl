// average += fresh·(weight - average) over every tensor of an arena: what `ema` and `swa` have in common.
// One workgroup per block of WG * QUADS quads, lanes side by side.
//!use lib/partition/grid
//!use lib/arena/segments
//!use lib/weight_average/average

// Buffers: weight (read), average (updated), table.

override WG: u32 = 256;
override QUADS: u32 = 4;

fn average_update(wid: vec3<u32>, count: vec3<u32>, index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let b = find_block(params.first + block, WG * QUADS);
    for (var k = 0u; k < QUADS; k++) {
        let q = b.start + k * WG + lane_of(index, WG);
        if q < params.lo || q >= b.end { continue; }
        let i = q - params.base;
        let old = average_load(i);
        average_store(i, select(old, averaged(old, weight_load(i), params.fresh), live(b, q)));
    }
}
