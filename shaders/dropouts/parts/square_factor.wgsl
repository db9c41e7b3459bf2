// What DropBlock multiplies by: all decisions over those that keep, 0 if none does.
//!use lib/partition/grid

// Buffers: partials (read), whose first one is the count; factor (written).

override WG: u32 = 1;

@compute @workgroup_size(WG)
fn square_factor(@builtin(workgroup_id) wid: vec3<u32>,
                 @builtin(num_workgroups) count: vec3<u32>,
                 @builtin(local_invocation_index) index: u32) {
    if workgroup_index(wid, count) >= params.blocks || lane_of(index, WG) > 0u { return; }
    let kept = partials[0];
    factor[0] = select(f32(params.total) / f32(max(kept, 1u)), 0.0, kept == 0u);
}
