// dx = dy·(1 + deviation·z), with the numbers z of the forward pass, drawn again: x is dy, y is dx.
//!use dropouts/parts/noise_map
//!use dropouts/parts/noise_times

@compute @workgroup_size(WG)
fn gaussian_dropout_backward(@builtin(workgroup_id) wid: vec3<u32>,
                             @builtin(num_workgroups) count: vec3<u32>,
                             @builtin(local_invocation_index) index: u32) {
    noised_map(wid, count, index);
}
