// dx = m·scale·act'(x + bias)·dy. dbias: lib/channel_reduce with lib/sums over dx, lib/column_gradients.
// Open: slope_at (slope_one, slope_of_act). Buffers: dy, dx (written); those of the parts.
//!use lib/masked

fn outcome(i: u32, kept: vec4<bool>) {
    let slope = slope_at(i);
    // Where the activation is flat nothing goes through, NaN and infinities neither.
    let blocked = !kept | (slope == vec4<f32>(0.0));
    dx_store(i, select((dy_load(i) * params.scale) * slope, vec4<f32>(0.0), blocked));
}

@compute @workgroup_size(WG)
fn bias_act_dropout_add_backward(@builtin(workgroup_id) wid: vec3<u32>,
                                 @builtin(num_workgroups) count: vec3<u32>,
                                 @builtin(local_invocation_index) index: u32) {
    masked_map(wid, count, index);
}
