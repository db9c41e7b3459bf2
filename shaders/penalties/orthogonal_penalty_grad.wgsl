// G - I in place of the first chunk of a Gram matrix that lib/matmul/product formed. After it: lib/matmul/product with
// penalties/parts/matrix_deviation, which multiplies the weight by it and adds the product to the gradient.
//!use lib/partition/grid
//!use penalties/parts/gram_deviation

// Buffer: gram (updated).

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn orthogonal_penalty_grad(@builtin(workgroup_id) wid: vec3<u32>,
                           @builtin(num_workgroups) count: vec3<u32>,
                           @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    for (var k = 0u; k < params.per_lane; k++) {
        let q = (block * params.per_lane + k) * WG + lane_of(index, WG);
        // Every lane reads its own quads of all chunks, and writes none but them.
        if q < params.side * params.quads { gram[q] = deviation(q); }
    }
}
