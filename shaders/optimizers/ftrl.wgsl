// One FTRL-proximal step over every tensor of an arena. Open: gpu_scale, update_is_skipped.
// Buffers: grad (read), weight, z, n (updated), table; with their parts: scale (read), flag (read).
//!use lib/optimizer/update

fn updated(i: u32, w: vec4<f32>, g: vec4<f32>, group: vec4<f32>, prox: vec4<f32>, alive: vec4<bool>) -> vec4<f32> {
    let z_old = z_load(i);
    let n_old = n_load(i);
    // A quotient may be off by 2.5 ulp even where the divisor is 1.
    let slower = select(1.0 / group.w, 1.0, group.w == 1.0);
    let square = g * g;
    let n1 = n_old + square;
    let root = sqrt(n1);
    // √n1 - √n without the cancellation. Where there never was a gradient it is 0.
    let both = root + sqrt(n_old);
    let sigma = select(square / both, vec4<f32>(0.0), both == vec4<f32>(0.0)) * slower;
    let z1 = z_old + g - sigma * w;
    n_store(i, select(n_old, n1, alive));
    z_store(i, select(z_old, z1, alive));
    let divisor = (params.beta + root) * slower + prox.w;
    let next = elastic_prox(-z1, prox.z, 1.0) / divisor;
    return select(next, vec4<f32>(0.0), (divisor == vec4<f32>(0.0)) | elastic_zeros(z1, prox.z));
}

@compute @workgroup_size(WG)
fn ftrl(@builtin(workgroup_id) wid: vec3<u32>,
        @builtin(num_workgroups) count: vec3<u32>,
        @builtin(local_invocation_index) index: u32) {
    optimizer_step(wid, count, index);
}
