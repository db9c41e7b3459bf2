// The seeds of DropBlock, a bit for each decision, 1 = a square begins here. Decision i has word i & 3 of Philox call i >> 2.
// A lane makes WORDS words of 32 bits.
//!use lib/partition/grid
//!use lib/philox/philox

// Buffer: seeds (written).

override WG: u32 = 256;
override WORDS: u32 = 4;

@compute @workgroup_size(WG)
fn square_seeds(@builtin(workgroup_id) wid: vec3<u32>,
                @builtin(num_workgroups) count: vec3<u32>,
                @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let start = block * WORDS * WG + lane_of(index, WG);
    for (var k = 0u; k < WORDS; k++) {
        let w = start + k * WG;
        if w >= params.words { continue; }
        let d = add_wide(vec2<u32>(params.draw_lo, params.draw_hi), 32u * w);
        let first = vec2<u32>((d.x >> 2u) | (d.y << 30u), d.y >> 2u);
        // The word begins this far within its first call, and reaches into a ninth one then.
        let skipped = d.x & 3u;
        var bits = 0u;
        for (var j = 0u; j < 9u; j++) {
            if 4u * j >= 32u + skipped { break; }
            let r = philox_call(add_wide(first, j));
            let four = select(vec4<u32>(0u), vec4<u32>(1u, 2u, 4u, 8u), r > vec4<u32>(params.last));
            let all = four.x | four.y | four.z | four.w;
            if j == 0u { bits = all >> skipped; } else { bits |= all << (4u * j - skipped); }
        }
        seeds[w] = bits;
    }
}
