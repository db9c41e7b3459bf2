// g = g / scale for every gradient of an arena, and one count per block of WG * QUADS quads: of those that are not finite then,
// as they are stored. Open: inverse_scale (transforms/parts/inverse_*), as_stored (lib/optimizer/stored_*).
//!use lib/arena/map
//!use lib/optimizer/finite
//!use lib/reduce/workgroup
//!use lib/reduce/sum_saturated

// Buffers: grad (updated), table, partials (written), scale (read, with transforms/parts/inverse_gpu).

// What this lane has found.
var<private> found: vec4<u32> = vec4<u32>(0u);

fn mapped(b: Block, q: u32, g: vec4<f32>) -> vec4<f32> {
    let factor = inverse_scale();
    let product = select(factor * g, g, factor == 1.0);
    found += select(vec4<u32>(0u), vec4<u32>(1u), not_finite(as_stored(q, product)) & live(b, q));
    return product;
}

@compute @workgroup_size(WG)
fn unscale(@builtin(workgroup_id) wid: vec3<u32>,
           @builtin(num_workgroups) count: vec3<u32>,
           @builtin(local_invocation_index) index: u32) {
    map_arena(wid, count, index);
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    let all = reduce(lane, (found.x + found.y) + (found.z + found.w));
    if lane == 0u { partials[params.partial + block] = all; }
}
