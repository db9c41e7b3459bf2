// w = min(max(w, low), high) for every weight of an arena.
//!use lib/gradients/in_range

@compute @workgroup_size(WG)
fn box_constraint(@builtin(workgroup_id) wid: vec3<u32>,
                  @builtin(num_workgroups) count: vec3<u32>,
                  @builtin(local_invocation_index) index: u32) {
    map_arena(wid, count, index);
}
