// y = weight / sigma, or 0 where sigma is 0. One workgroup per block of WG * QUADS quads, lanes side by side. Before it: products
// of the weight with its vectors (lib/channels/reduce with norms/parts/vector_products, norms/parts/vector_sums), norms/parts/vector_normalize, norms/parts/sigma.
//!use lib/partition/grid

// Buffers: weight, y (written), sigma.

override WG: u32 = 256;
override QUADS: u32 = 4;

@compute @workgroup_size(WG)
fn spectral_norm(@builtin(workgroup_id) wid: vec3<u32>,
                 @builtin(num_workgroups) count: vec3<u32>,
                 @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let s = sigma_at(0u);
    let none = (bitcast<u32>(s) & 0x7fffffffu) == 0u;
    for (var k = 0u; k < QUADS; k++) {
        let q = ((params.first + block) * QUADS + k) * WG + lane_of(index, WG);
        if q < params.lo || q >= params.hi { continue; }
        y_store(q - params.base, select(weight_load(q - params.base) / s, vec4<f32>(0.0), none));
    }
}
