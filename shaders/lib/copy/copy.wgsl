// Copies bits: every one of every value, which arithmetic would not promise for NaN and for denormals. An item is a word or
// four (lib/copy/by_one, lib/copy/by_four); items count from the start of the window that is bound.
//!use lib/partition/grid

// Buffers: x (read), y (written). Of the last word of item `last_item`, `last_bits` are copied, `keep_bits` stay, and the
// rest becomes 0.

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn copy_words(@builtin(workgroup_id) wid: vec3<u32>,
              @builtin(num_workgroups) count: vec3<u32>,
              @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let start = params.start + block * params.trips * WG + lane_of(index, WG);
    for (var k = 0u; k < params.trips; k++) {
        let i = start + k * WG;
        if i < params.lo || i >= params.hi { continue; }
        var v = x[i];
        if i == params.last_item {
            v = (y[i] & words(0u, params.keep_bits)) | (v & words(0xffffffffu, params.last_bits));
        }
        y[i] = v;
    }
}
