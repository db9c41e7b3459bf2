// dx = factor·dy where no square lay, +0 in squares: x is dy, y is dx. Without a stored mask dropouts/parts/square_seeds and dropouts/parts/square_mask come before.
//!use dropouts/parts/masked_map
//!use dropouts/parts/keep_factor

@compute @workgroup_size(WG)
fn drop_block_backward(@builtin(workgroup_id) wid: vec3<u32>,
                       @builtin(num_workgroups) count: vec3<u32>,
                       @builtin(local_invocation_index) index: u32) {
    masked_map(wid, count, index);
}
