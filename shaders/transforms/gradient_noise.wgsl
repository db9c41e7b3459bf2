// g = g + sigma·z for every gradient of an arena. The normal number z of element e of the larger whole is number e & 3 of Philox
// call e >> 2: one call to a quad. `params.draw_lo, params.draw_hi` is the number of the arena's first quad.
//!use lib/arena/map
//!use lib/philox/normal
//!use lib/philox/philox

// Buffers: grad (updated), table.

fn mapped(b: Block, q: u32, g: vec4<f32>) -> vec4<f32> {
    let call = add_wide(vec2<u32>(params.draw_lo, params.draw_hi), q);
    return g + params.sigma * normals(philox_call(call));
}

@compute @workgroup_size(WG)
fn gradient_noise(@builtin(workgroup_id) wid: vec3<u32>,
                  @builtin(num_workgroups) count: vec3<u32>,
                  @builtin(local_invocation_index) index: u32) {
    map_arena(wid, count, index);
}
