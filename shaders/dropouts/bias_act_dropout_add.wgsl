// y = residual + m·scale·act(x + bias), each of them optional. Open: biased (bias_given, bias_none), act (act_none and the
// like), onto (residual_given, residual_none). Buffers: y (written); those of the parts.
//!use dropouts/parts/masked_map

fn outcome(i: u32, kept: vec4<bool>) {
    y_store(i, onto(i, act(biased(i)) * params.scale, kept));
}

@compute @workgroup_size(WG)
fn bias_act_dropout_add(@builtin(workgroup_id) wid: vec3<u32>,
                        @builtin(num_workgroups) count: vec3<u32>,
                        @builtin(local_invocation_index) index: u32) {
    masked_map(wid, count, index);
}
