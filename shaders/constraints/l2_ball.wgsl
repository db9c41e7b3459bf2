// w = scale·w for every weight of an arena, with the factor that the norm of its own tensor left.
//!use lib/gradients/by_tensor

@compute @workgroup_size(WG)
fn l2_ball(@builtin(workgroup_id) wid: vec3<u32>,
           @builtin(num_workgroups) count: vec3<u32>,
           @builtin(local_invocation_index) index: u32) {
    map_arena(wid, count, index);
}
