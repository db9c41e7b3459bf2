// weight = saved, bit for bit, over every tensor of an arena. One workgroup per block of WG * QUADS quads, lanes side by side.
//!use lib/partition/grid
//!use lib/arena/segments

// Buffers: saved (read), weight (updated), table.

override WG: u32 = 256;
override QUADS: u32 = 4;

@compute @workgroup_size(WG)
fn sam_restore(@builtin(workgroup_id) wid: vec3<u32>,
               @builtin(num_workgroups) count: vec3<u32>,
               @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let b = find_block(params.first + block, WG * QUADS);
    for (var k = 0u; k < QUADS; k++) {
        let q = b.start + k * WG + lane_of(index, WG);
        if q < params.lo || q >= b.end { continue; }
        let i = q - params.base;
        weight_set(i, saved_bits(i), live(b, q));
    }
}
