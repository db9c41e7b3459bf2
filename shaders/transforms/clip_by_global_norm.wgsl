// g = scale·g for every gradient of an arena, with the factor that the norm's second pass left.
//!use lib/arena/map
//!use lib/gradients/by_factor

// Buffers: grad (updated), table, scale (read).

fn mapped(b: Block, q: u32, g: vec4<f32>) -> vec4<f32> { return by_factor(scale_at(0u), g); }

@compute @workgroup_size(WG)
fn clip_by_global_norm(@builtin(workgroup_id) wid: vec3<u32>,
                       @builtin(num_workgroups) count: vec3<u32>,
                       @builtin(local_invocation_index) index: u32) {
    map_arena(wid, count, index);
}
