// dx = m·scale·act'(x + bias)·dy. dbias: lib/channels/reduce with lib/rows/sums over dx, lib/rows/column_gradients.
// Open: back (back_plain, back_through). Buffers: dy, dx (written); those of the parts.
//!use dropouts/parts/masked_map

fn outcome(i: u32, kept: vec4<bool>) {
    dx_store(i, select(vec4<f32>(0.0), back(i, dy_load(i) * params.scale), kept));
}

@compute @workgroup_size(WG)
fn bias_act_dropout_add_backward(@builtin(workgroup_id) wid: vec3<u32>,
                                 @builtin(num_workgroups) count: vec3<u32>,
                                 @builtin(local_invocation_index) index: u32) {
    masked_map(wid, count, index);
}
