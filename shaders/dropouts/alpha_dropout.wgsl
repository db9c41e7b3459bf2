// y = a·x + b where an element is kept, a·α' + b where not. Buffers: x (read), y (written).
//!use dropouts/parts/masked_map

fn outcome(i: u32, kept: vec4<bool>) {
    y_store(i, select(vec4<f32>(params.other), x_load(i) * params.scale + params.offset, kept));
}

@compute @workgroup_size(WG)
fn alpha_dropout(@builtin(workgroup_id) wid: vec3<u32>,
                 @builtin(num_workgroups) count: vec3<u32>,
                 @builtin(local_invocation_index) index: u32) {
    masked_map(wid, count, index);
}
