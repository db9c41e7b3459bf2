// y = x where an element is kept, previous where not; with BLEND, after training, the mean of that over all masks.
// Buffers: x, previous (read), y (written).
//!use dropouts/parts/masked_map

override BLEND: bool = false;

fn outcome(i: u32, kept: vec4<bool>) {
    let x = x_load(i);
    let previous = previous_load(i);
    if BLEND {
        y_store(i, params.scale * x + params.other * previous);
    } else {
        y_store(i, select(previous, x, kept));
    }
}

@compute @workgroup_size(WG)
fn zoneout(@builtin(workgroup_id) wid: vec3<u32>,
           @builtin(num_workgroups) count: vec3<u32>,
           @builtin(local_invocation_index) index: u32) {
    masked_map(wid, count, index);
}
