// Philox4x32-10 calls in order, four words each. One call per lane and turn of its loop.
//!use lib/partition/grid
//!use lib/philox/philox

// Buffer: words: array<u32> (written), of which `params.end` are bound.

override WG: u32 = 256;
override QUADS: u32 = 4;

@compute @workgroup_size(WG)
fn philox_words(@builtin(workgroup_id) wid: vec3<u32>,
                @builtin(num_workgroups) count: vec3<u32>,
                @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let start = (params.first + block) * QUADS * WG + lane_of(index, WG);
    for (var k = 0u; k < QUADS; k++) {
        let q = start + k * WG;
        if q < params.lo || q >= params.hi { continue; }
        let r = philox_call(add_wide(vec2<u32>(params.draw_lo, params.draw_hi), q));
        let e = 4u * (q - params.base);
        if e < params.end { words[e] = r.x; }
        if e + 1u < params.end { words[e + 1u] = r.y; }
        if e + 2u < params.end { words[e + 2u] = r.z; }
        if e + 3u < params.end { words[e + 3u] = r.w; }
    }
}
