// One step of stochastic gradient descent over every tensor of an arena, all regularization in the same pass.
// Open: gpu_scale, update_is_skipped, direction.
// Buffers: grad (read), weight (updated), table; with their parts: scale (read), momentum_buffer (updated), flag (read).
//!use lib/optimizer/update
//!use lib/optimizer/descend

struct Params {
    segments: u32, first: u32, blocks: u32, lo: u32, hi: u32, base: u32, end: u32,
    grad_scale: f32, average: f32, key_lo: u32, key_hi: u32, step: u32, stream: u32, draw_lo: u32, draw_hi: u32,
    momentum: f32, fresh: f32, first_step: u32, nesterov: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(WG)
fn sgd(@builtin(workgroup_id) wid: vec3<u32>,
       @builtin(num_workgroups) count: vec3<u32>,
       @builtin(local_invocation_index) index: u32) {
    optimizer_step(wid, count, index);
}
