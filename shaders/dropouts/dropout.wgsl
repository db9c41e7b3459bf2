// y = scale·x where an element is kept, +0 where not. Serves the backward pass too, with dy for x and dx for y.
//!use dropouts/parts/masked_map
//!use dropouts/parts/keep_scaled

@compute @workgroup_size(WG)
fn dropout(@builtin(workgroup_id) wid: vec3<u32>,
           @builtin(num_workgroups) count: vec3<u32>,
           @builtin(local_invocation_index) index: u32) {
    masked_map(wid, count, index);
}
