// The second of three kernels that decide whether a step is skipped: flag = 1 if any live gradient element is not finite.
// An OR of integers is the same in any order, so one atomic word serves all blocks.
//!use lib/partition/grid
//!use lib/arena/segments
//!use lib/optimizer/finite

// Buffers: grad (read), table, flag (atomic).

override WG: u32 = 256;
override QUADS: u32 = 4;

@compute @workgroup_size(WG)
fn skip_scan(@builtin(workgroup_id) wid: vec3<u32>,
             @builtin(num_workgroups) count: vec3<u32>,
             @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let b = find_block(params.first + block, WG * QUADS);
    var found = vec4<bool>(false);
    for (var k = 0u; k < QUADS; k++) {
        let q = b.start + k * WG + lane_of(index, WG);
        if q < params.lo || q >= b.end { continue; }
        found = found | (not_finite(grad_load(q - params.base)) & live(b, q));
    }
    if any(found) && atomicLoad(&flag[0]) == 0u { atomicOr(&flag[0], 1u); }
}
