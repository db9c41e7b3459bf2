// dweight += scale·dmasked where a weight was kept: x is dmasked, y is dweight. Without accumulation the backward pass is
// drop_connect.wgsl.
//!use dropouts/parts/masked_map
//!use dropouts/parts/keep_added

@compute @workgroup_size(WG)
fn drop_connect_backward(@builtin(workgroup_id) wid: vec3<u32>,
                         @builtin(num_workgroups) count: vec3<u32>,
                         @builtin(local_invocation_index) index: u32) {
    masked_map(wid, count, index);
}
