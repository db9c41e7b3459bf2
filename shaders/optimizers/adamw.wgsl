// One AdamW step over every tensor of an arena, all regularization in the same pass.
// Open: gpu_scale, update_is_skipped, largest, corrections.
// Buffers: grad (read), weight, m, v (updated), table; with their parts: v_max (updated), scale (read), flag (read).
//!use lib/optimizer/adaptive

@compute @workgroup_size(WG)
fn adamw(@builtin(workgroup_id) wid: vec3<u32>,
         @builtin(num_workgroups) count: vec3<u32>,
         @builtin(local_invocation_index) index: u32) {
    optimizer_step(wid, count, index);
}
