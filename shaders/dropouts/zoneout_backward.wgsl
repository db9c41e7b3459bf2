// The gradient goes to x where an element was kept, to previous where not; with BLEND, after training, to both in parts.
// Buffers: dy (read), dx, dprevious (written).
//!use dropouts/parts/masked_map

override BLEND: bool = false;

fn outcome(i: u32, kept: vec4<bool>) {
    let dy = dy_load(i);
    if BLEND {
        dx_store(i, params.scale * dy);
        dprevious_store(i, params.other * dy);
    } else {
        dx_store(i, select(vec4<f32>(0.0), dy, kept));
        dprevious_store(i, select(dy, vec4<f32>(0.0), kept));
    }
}

@compute @workgroup_size(WG)
fn zoneout_backward(@builtin(workgroup_id) wid: vec3<u32>,
                    @builtin(num_workgroups) count: vec3<u32>,
                    @builtin(local_invocation_index) index: u32) {
    masked_map(wid, count, index);
}
