// One NAdam step over every tensor of an arena, all regularization in the same pass. Open: gpu_scale, update_is_skipped.
// Buffers: grad (read), weight, m, v (updated), table; with their parts: scale (read), flag (read).
//!use lib/optimizer/update
//!use lib/optimizer/descend

fn direction(i: u32, g: vec4<f32>, alive: vec4<bool>) -> vec4<f32> {
    let m_old = m_load(i);
    let v_old = v_load(i);
    let m1 = params.beta1 * m_old + params.fresh1 * g;
    let v1 = params.beta2 * v_old + params.fresh2 * (g * g);
    m_store(i, select(m_old, m1, alive));
    v_store(i, select(v_old, v1, alive));
    let root = sqrt(v1) * params.correct2 + params.eps;
    // Only with eps = 0 can the root be 0, where no gradient was ever seen: then there is no step.
    return select((params.along_g * g + params.along_m * m1) / root, vec4<f32>(0.0), root == vec4<f32>(0.0));
}

@compute @workgroup_size(WG)
fn nadam(@builtin(workgroup_id) wid: vec3<u32>,
         @builtin(num_workgroups) count: vec3<u32>,
         @builtin(local_invocation_index) index: u32) {
    optimizer_step(wid, count, index);
}
