// A map of a tensor with a normal number for each element. One workgroup per block of WG * QUADS quads, lanes side by side.
// Open names: noise (dropouts/parts/noise_rows or dropouts/parts/noise_any), outcome (loads a quad and stores what becomes of it).
//!use lib/partition/grid

struct Params {
    first: u32, blocks: u32, lo: u32, hi: u32, base: u32, end: u32, deviation: f32,
    key_lo: u32, key_hi: u32, step: u32, stream: u32,
    d_lo: u32, d_hi: u32,
    pair: u32, start: u32, inner: u32, rows: u32, per_period: u32, per_row: u32, per_column: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

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
