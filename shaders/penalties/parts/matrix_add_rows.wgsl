// Adds a multiple of a product that penalties/parts/matrix_keep kept, `pitch` values from row to row, to a gradient whose rows of `cols`
// follow each other without a gap. One workgroup per block of WG * QUADS quads, lanes side by side.
//!use lib/partition/grid

// Buffers: grad (updated), product.

override WG: u32 = 256;
override QUADS: u32 = 4;

@compute @workgroup_size(WG)
fn matrix_add_rows(@builtin(workgroup_id) wid: vec3<u32>,
                   @builtin(num_workgroups) count: vec3<u32>,
                   @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    for (var k = 0u; k < QUADS; k++) {
        let q = (params.first + block) * WG * QUADS + k * WG + lane_of(index, WG);
        if q < params.lo || q >= params.hi { continue; }
        let e = 4u * q + vec4<u32>(0u, 1u, 2u, 3u);
        let at = e / params.cols * params.pitch + e % params.cols;
        let v = vec4<f32>(product[at.x], product[at.y], product[at.z], product[at.w]);
        grad_store(q - params.base, grad_load(q - params.base) + params.scale * v);
    }
}
