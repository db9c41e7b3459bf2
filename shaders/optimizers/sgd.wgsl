// One step of stochastic gradient descent over every tensor of an arena, all regularization in the same pass.
// Open: gpu_scale, update_is_skipped, direction.
// Buffers: grad (read), weight (updated), table; with their parts: scale (read), momentum_buffer (updated), flag (read).
//!use lib/optimizer/update
//!use lib/optimizer/descend

@compute @workgroup_size(WG)
fn sgd(@builtin(workgroup_id) wid: vec3<u32>,
       @builtin(num_workgroups) count: vec3<u32>,
       @builtin(local_invocation_index) index: u32) {
    optimizer_step(wid, count, index);
}
