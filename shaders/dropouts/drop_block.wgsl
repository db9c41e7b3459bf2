// y = factor·x where no block lies, +0 in blocks. Before it: lib/block_seeds, lib/block_mask, lib/fold, lib/block_factor.
//!use lib/masked
//!use lib/keep_factor

@compute @workgroup_size(WG)
fn drop_block(@builtin(workgroup_id) wid: vec3<u32>,
              @builtin(num_workgroups) count: vec3<u32>,
              @builtin(local_invocation_index) index: u32) {
    masked_map(wid, count, index);
}
