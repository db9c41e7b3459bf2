// One Adamax step over every tensor of an arena, all regularization in the same pass. Open: gpu_scale, update_is_skipped.
// Buffers: grad (read), weight, m, u (updated), table; with their parts: scale (read), flag (read).
//!use lib/optimizer/update
//!use lib/optimizer/descend

fn direction(i: u32, g: vec4<f32>, alive: vec4<bool>) -> vec4<f32> {
    let m_old = m_load(i);
    let u_old = u_load(i);
    let m1 = params.beta1 * m_old + params.fresh1 * g;
    // Numbers that are not negative order as their bits do, and a NaN is above them all, so it stays, which `max` of floats leaves open.
    let magnitude = vec4<u32>(0x7fffffffu);
    let left = bitcast<vec4<u32>>(params.beta2 * u_old) & magnitude;
    let u1 = bitcast<vec4<f32>>(max(left, bitcast<vec4<u32>>(abs(g) + params.eps) & magnitude));
    m_store(i, select(m_old, m1, alive));
    u_store(i, select(u_old, u1, alive));
    // Only with eps = 0 can it be 0, where no gradient was ever seen: then there is no step.
    return select(params.correct1 * m1 / u1, vec4<f32>(0.0), u1 == vec4<f32>(0.0));
}

@compute @workgroup_size(WG)
fn adamax(@builtin(workgroup_id) wid: vec3<u32>,
          @builtin(num_workgroups) count: vec3<u32>,
          @builtin(local_invocation_index) index: u32) {
    optimizer_step(wid, count, index);
}
