// One Lion step over every tensor of an arena, all regularization in the same pass. Open: gpu_scale, update_is_skipped.
// Buffers: grad (read), weight, m (updated), table; with their parts: scale (read), flag (read).
//!use lib/optimizer/update
//!use lib/optimizer/descend

// The sign of what the moment would be with beta1; the moment itself goes on with beta2.
fn direction(i: u32, g: vec4<f32>, alive: vec4<bool>) -> vec4<f32> {
    let old = m_load(i);
    let c = params.beta1 * old + params.fresh1 * g;
    m_store(i, select(old, params.beta2 * old + params.fresh2 * g, alive));
    // By the bits: a device may flush what is small, and is free to take any sign for that of a NaN. 0 and NaN stay.
    let bits = bitcast<vec4<u32>>(c);
    let magnitude = bits & vec4<u32>(0x7fffffffu);
    let one = bitcast<vec4<f32>>((bits & vec4<u32>(0x80000000u)) | vec4<u32>(0x3f800000u));
    return select(one, c, (magnitude == vec4<u32>(0u)) | (magnitude > vec4<u32>(0x7f800000u)));
}

@compute @workgroup_size(WG)
fn lion(@builtin(workgroup_id) wid: vec3<u32>,
        @builtin(num_workgroups) count: vec3<u32>,
        @builtin(local_invocation_index) index: u32) {
    optimizer_step(wid, count, index);
}
