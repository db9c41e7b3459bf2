// A map of a tensor with a normal number for each element. One workgroup per block of WG * QUADS quads, lanes side by side.
// Open names: noise (dropouts/parts/noise_rows or dropouts/parts/noise_any), outcome (loads a quad and stores what becomes of it).
//!use lib/partition/grid

override WG: u32 = 256;
override QUADS: u32 = 4;

fn noised_map(wid: vec3<u32>, count: vec3<u32>, index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let start = (params.first + block) * QUADS * WG + lane_of(index, WG);
    for (var k = 0u; k < QUADS; k++) {
        let q = start + k * WG;
        if q < params.lo || q >= params.hi { continue; }
        outcome(q - params.base, noise(q));
    }
}
