// y = x + deviation·z, z normal. Buffers: x (read), y (written).
//!use dropouts/parts/noise_map

fn outcome(i: u32, z: vec4<f32>) {
    y_store(i, x_load(i) + params.deviation * z);
}

@compute @workgroup_size(WG)
fn gaussian_noise(@builtin(workgroup_id) wid: vec3<u32>,
                  @builtin(num_workgroups) count: vec3<u32>,
                  @builtin(local_invocation_index) index: u32) {
    noised_map(wid, count, index);
}
