// A map of a tensor under a mask, eight elements to a draw. A lane handles runs of PAIRS pairs of quads: a pair shares a
// Philox call, four pairs are a word of the mask.
// Open names: draw (lib/philox/draw_pairs, lib/philox/draw_any, dropouts/parts/draw_all, dropouts/parts/draw_stored), note (dropouts/parts/mask_none or dropouts/parts/mask_store),
// outcome (the op's own: loads a quad and stores what becomes of it).
//!use lib/partition/grid

override WG: u32 = 256;
override TURNS: u32 = 4;
override PAIRS: u32 = 1;
// Whether lanes take neighbouring quads, so that together they read whole lines of memory: each draws for a pair, and takes
// the decisions of its quads from its neighbours. Needs PAIRS = 1.
override SIDE: bool = false;

// For each lane a bit for each element of its pair.
var<workgroup> decided: array<u32, WG>;

// Which elements of two quads are kept.
struct Kept { a: vec4<bool>, b: vec4<bool> }

fn pack(kept: vec4<bool>) -> u32 {
    let bits = select(vec4<u32>(0u), vec4<u32>(1u, 2u, 4u, 8u), kept);
    return bits.x | bits.y | bits.z | bits.w;
}

fn apply(q: u32, kept: vec4<bool>) {
    if q >= params.lo && q < params.hi { outcome(q - params.base, kept); }
}

fn masked_map(wid: vec3<u32>, count: vec3<u32>, index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    if SIDE {
        for (var k = 0u; k < TURNS; k++) {
            let first = ((params.first + block) * TURNS + k) * WG;
            let kept = draw(first + lane);
            // Slower lanes may still read what was decided before.
            workgroupBarrier();
            decided[lane] = pack(kept.a) | (pack(kept.b) << 4u);
            workgroupBarrier();
            for (var i = lane; i < 2u * WG; i += WG) {
                let bits = decided[i / 2u] >> (4u * (i & 1u));
                apply(2u * first + i, (vec4<u32>(bits) & vec4<u32>(1u, 2u, 4u, 8u)) != vec4<u32>(0u));
            }
        }
        return;
    }
    let start = (params.first + block) * TURNS * WG + lane;
    for (var k = 0u; k < TURNS; k++) {
        let run = start + k * WG;
        let q = run * PAIRS * 2u;
        if q >= params.hi || q + PAIRS * 2u <= params.lo { continue; }
        var word = 0u;
        for (var j = 0u; j < PAIRS; j++) {
            let kept = draw(run * PAIRS + j);
            apply(q + 2u * j, kept.a);
            apply(q + 2u * j + 1u, kept.b);
            word |= (pack(kept.a) | (pack(kept.b) << 4u)) << (8u * j);
        }
        note(run, word);
    }
}
