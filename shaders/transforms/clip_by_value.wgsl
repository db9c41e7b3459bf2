// g = min(max(g, low), high) for every gradient of an arena.
//!use lib/gradients/in_range

@compute @workgroup_size(WG)
fn clip_by_value(@builtin(workgroup_id) wid: vec3<u32>,
                 @builtin(num_workgroups) count: vec3<u32>,
                 @builtin(local_invocation_index) index: u32) {
    map_arena(wid, count, index);
}
