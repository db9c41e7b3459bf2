// dx = m·scale·dresidual, after the kernels of layer_norm_backward or rms_norm_backward have made dresidual (x here; y is dx).
//!use dropouts/parts/masked_map
//!use dropouts/parts/keep_scaled

@compute @workgroup_size(WG)
fn dropout_add_layer_norm_backward(@builtin(workgroup_id) wid: vec3<u32>,
                                   @builtin(num_workgroups) count: vec3<u32>,
                                   @builtin(local_invocation_index) index: u32) {
    masked_map(wid, count, index);
}
