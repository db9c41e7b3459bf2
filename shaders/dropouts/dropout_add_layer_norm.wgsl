// z = residual + m·scale·x, before the kernels of layer_norm or rms_norm make y of it. Open: onto (residual_given,
// residual_none). Buffers: x, z (written); those of the part.
//!use dropouts/parts/masked_map

fn outcome(i: u32, kept: vec4<bool>) {
    z_store(i, onto(i, x_load(i) * params.scale, kept));
}

@compute @workgroup_size(WG)
fn dropout_add_layer_norm(@builtin(workgroup_id) wid: vec3<u32>,
                          @builtin(num_workgroups) count: vec3<u32>,
                          @builtin(local_invocation_index) index: u32) {
    masked_map(wid, count, index);
}
