// The second pass of a norm over an arena: merges the partials that are left, and writes the norm and the factor that clips by it.
// Partial p is entry p * stride.
//!use lib/partition/grid
//!use lib/reduce/workgroup
//!use lib/reduce/sum_vec4
//!use lib/reduce/scaled_squares
//!use lib/gradients/clip_factor

// Buffers: partials (read), norm, scale (written).

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn global_norm(@builtin(workgroup_id) wid: vec3<u32>,
               @builtin(num_workgroups) count: vec3<u32>,
               @builtin(local_invocation_index) index: u32) {
    if workgroup_index(wid, count) >= params.blocks { return; }
    let lane = lane_of(index, WG);
    var mine = NOTHING;
    for (var p = lane; p < params.count; p += WG) { mine = merge(mine, partials[p * params.stride]); }
    let all = norm_of(reduce(lane, mine));
    if lane == 0u {
        norm_put(0u, all);
        scale_put(0u, clip_factor(all));
    }
}
