// The rule of dynamic loss scaling for one scale: back off where something was found, grow after `interval` steps without.
//!use lib/partition/grid

// Buffers: found (read), scale, growth_tracker (updated).

@compute @workgroup_size(1)
fn update_loss_scale(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>) {
    if workgroup_index(wid, count) >= params.blocks { return; }
    let s = scale_at(0u);
    let steps = growth_tracker[0];
    let nan = (bitcast<u32>(s) & 0x7fffffffu) > 0x7f800000u;
    if found[0] != 0u {
        let less = s * params.backoff;
        scale_put(0u, select(select(less, params.least, less < params.least), s, nan));
        growth_tracker[0] = 0u;
    } else if steps >= params.interval - 1u {
        // Past the limit no product is formed: WGSL leaves open what overflows.
        let past = select(s, params.most, params.has_most == 1u);
        scale_put(0u, select(select(s * params.growth, past, s > params.limit), s, nan));
        growth_tracker[0] = 0u;
    } else {
        growth_tracker[0] = steps + 1u;
    }
}
