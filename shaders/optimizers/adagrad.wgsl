// One Adagrad step over every tensor of an arena, all regularization in the same pass. Open: gpu_scale, update_is_skipped.
// Buffers: grad (read), weight, sum (updated), table; with their parts: scale (read), flag (read).
//!use lib/optimizer/update
//!use lib/optimizer/descend

fn direction(i: u32, g: vec4<f32>, alive: vec4<bool>) -> vec4<f32> {
    let old = sum_load(i);
    let sum = old + g * g;
    sum_store(i, select(old, sum, alive));
    let root = sqrt(sum + params.eps_inside) + params.eps_outside;
    // Only with eps = 0 can the root be 0, where no gradient was ever seen: then there is no step.
    return select(g / root, vec4<f32>(0.0), root == vec4<f32>(0.0));
}

@compute @workgroup_size(WG)
fn adagrad(@builtin(workgroup_id) wid: vec3<u32>,
           @builtin(num_workgroups) count: vec3<u32>,
           @builtin(local_invocation_index) index: u32) {
    optimizer_step(wid, count, index);
}
