// Ω = Σ |w|·(λ1 + c·|w|), with c = λ2 or ½·λ2 by convention, over every tensor of an arena: one partial per block of
// WG * QUADS quads, lanes side by side. A term whose λ is 0 is absent, also where w is not finite.
// The product is formed from the inside, so that λ2·w² overflows only where it does not fit, not where w² does not.
//!use lib/partition/grid
//!use lib/arena/segments
//!use lib/reduce/workgroup
//!use lib/reduce/sum_f32

// Buffers: weight (read), table, partials (written).

override WG: u32 = 256;
override QUADS: u32 = 4;

@compute @workgroup_size(WG)
fn penalty(@builtin(workgroup_id) wid: vec3<u32>,
           @builtin(num_workgroups) count: vec3<u32>,
           @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let b = find_block(params.first + block, WG * QUADS);
    let group = group_row(b, 1u, 0u);
    let lane = lane_of(index, WG);
    var sum = vec4<f32>(0.0);
    for (var k = 0u; k < QUADS; k++) {
        let q = b.start + k * WG + lane;
        if q < params.lo || q >= b.end { continue; }
        let m = abs(weight_load(q - params.base));
        let factor = group.x + select(vec4<f32>(0.0), group.y * m, group.y != 0.0);
        sum += select(vec4<f32>(0.0), m * factor, live(b, q));
    }
    let mine = select(0.0, (sum.x + sum.y) + (sum.z + sum.w), group.x != 0.0 || group.y != 0.0);
    let all = reduce(lane, mine);
    if lane == 0u { partials[params.partial + block] = all; }
}
