// dx = scale·dy where the stored mask has a 1, +0 where not: x is dy, y is dx, draw is dropouts/parts/draw_stored. Without a stored mask
// the backward pass is dropout.wgsl.
//!use dropouts/parts/masked_map
//!use dropouts/parts/keep_scaled

@compute @workgroup_size(WG)
fn dropout_backward(@builtin(workgroup_id) wid: vec3<u32>,
                    @builtin(num_workgroups) count: vec3<u32>,
                    @builtin(local_invocation_index) index: u32) {
    masked_map(wid, count, index);
}
