// One RMSprop step over every tensor of an arena, all regularization in the same pass.
// Open: gpu_scale, update_is_skipped, variance, with_momentum.
// Buffers: grad (read), weight, square_avg (updated), table; with their parts: grad_avg, momentum_buffer (updated), scale,
// flag (read).
//!use lib/optimizer/update
//!use lib/optimizer/descend

fn direction(i: u32, g: vec4<f32>, alive: vec4<bool>) -> vec4<f32> {
    let old = square_avg_load(i);
    let square = params.alpha * old + params.fresh * (g * g);
    square_avg_store(i, select(old, square, alive));
    let root = sqrt(variance(i, g, square, alive) + params.eps_inside) + params.eps_outside;
    // Only with eps = 0 can the root be 0: then there is no step.
    return with_momentum(i, select(g / root, vec4<f32>(0.0), root == vec4<f32>(0.0)), alive);
}

@compute @workgroup_size(WG)
fn rmsprop(@builtin(workgroup_id) wid: vec3<u32>,
           @builtin(num_workgroups) count: vec3<u32>,
           @builtin(local_invocation_index) index: u32) {
    optimizer_step(wid, count, index);
}
