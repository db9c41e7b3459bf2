// The first of three kernels that decide whether a step is skipped: flag[0] = 1 if the gradient scale is
// not finite, else 0; flag[1] keeps the scale's bits for lib/optimizer/scale_flag.
//!use lib/partition/grid
//!use lib/optimizer/finite

// Buffers: flag (written), scale (read, with lib/optimizer/scale_gpu only).

@compute @workgroup_size(1)
fn skip_begin(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>) {
    if workgroup_index(wid, count) >= params.blocks { return; }
    let scale = gpu_scale();
    flag[0] = select(0u, 1u, not_finite(vec4<f32>(scale)).x);
    flag[1] = bitcast<u32>(scale);
}
