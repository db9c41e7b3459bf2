// y = x, four elements at a time: the bandwidth that any other kernel is held against.
// One workgroup per block of WG * QUADS quads, lanes side by side.
//!use lib/partition/grid

// Buffers: x (read), y (written).

override WG: u32 = 256;
override QUADS: u32 = 4;

@compute @workgroup_size(WG)
fn copy(@builtin(workgroup_id) wid: vec3<u32>,
        @builtin(num_workgroups) count: vec3<u32>,
        @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let start = (params.first + block) * WG * QUADS;
    for (var k = 0u; k < QUADS; k++) {
        let q = start + k * WG + lane_of(index, WG);
        if q < params.lo || q >= params.hi { continue; }
        let i = q - params.base;
        y_store(i, x_load(i));
    }
}
