// y = x * (k + alpha * sum of x^2 over the neighbourhood of channels)^-beta. One workgroup per block of WG * QUADS quads, lanes side by
// side; a lane reads the neighbours of its quads again, from the caches.
//!use lib/partition/grid
//!use norms/parts/response

// Buffers: x, y.

override WG: u32 = 256;
override QUADS: u32 = 4;

@compute @workgroup_size(WG)
fn local_response_norm(@builtin(workgroup_id) wid: vec3<u32>,
                       @builtin(num_workgroups) count: vec3<u32>,
                       @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let first = (params.first + block) * WG * QUADS + lane_of(index, WG);
    for (var i = 0u; i < QUADS; i++) {
        let q = first + i * WG;
        if q < params.lo || q >= params.hi { continue; }
        let e = 4u * (q - params.base) + vec4<u32>(0u, 1u, 2u, 3u);
        let c = channels_from(e.x);
        y_store(q - params.base, x_near(e) * responses(denominators(e, c)));
    }
}
