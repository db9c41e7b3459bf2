// λ·Σ(g - δ)² over a Gram matrix that lib/matmul/product formed: one partial for each workgroup, lanes side by side.
//!use lib/partition/grid
//!use lib/reduce/workgroup
//!use lib/reduce/sum_f32
//!use penalties/parts/gram_deviation

// Buffers: gram (updated), partials (written).

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn orthogonal_penalty(@builtin(workgroup_id) wid: vec3<u32>,
                      @builtin(num_workgroups) count: vec3<u32>,
                      @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    var sum = vec4<f32>(0.0);
    for (var k = 0u; k < params.per_lane; k++) {
        let q = (block * params.per_lane + k) * WG + lane;
        if q >= params.side * params.quads { continue; }
        let d = deviation(q);
        sum += d * d;
        // Written, as the partials are: scratch has one usage in a dispatch. No other lane reads it.
        gram[q] = d;
    }
    let all = reduce(lane, (sum.x + sum.y) + (sum.z + sum.w));
    if lane == 0u { partials[block] = params.scale * all; }
}
