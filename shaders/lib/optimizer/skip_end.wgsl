// The last of three kernels that decide whether a step is skipped: counts it.
//!use lib/partition/grid

// Buffers: flag (read), skipped (updated).

@compute @workgroup_size(1)
fn skip_end(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>) {
    if workgroup_index(wid, count) >= params.blocks { return; }
    skipped[0] += flag[0];
}
