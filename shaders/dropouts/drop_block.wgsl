// y = factor·x where no square lies, +0 in squares. Before it: dropouts/parts/square_seeds, dropouts/parts/square_mask, lib/reduce/level, dropouts/parts/square_factor.
//!use dropouts/parts/masked_map
//!use dropouts/parts/keep_factor

@compute @workgroup_size(WG)
fn drop_block(@builtin(workgroup_id) wid: vec3<u32>,
              @builtin(num_workgroups) count: vec3<u32>,
              @builtin(local_invocation_index) index: u32) {
    masked_map(wid, count, index);
}
