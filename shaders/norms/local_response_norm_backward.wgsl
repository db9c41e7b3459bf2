// With d the denominators: dx = dy * d^-beta - slope * x * sum of dy * x * d^(-beta-1), slope = 2 * alpha * beta, over the outputs
// whose neighbourhoods hold this channel: those from size - 1 - before channels before it to `before` behind it. One workgroup per block of
// WG * QUADS quads, lanes side by side; denominators are computed again from x, whose neighbours come from the caches.
//!use lib/partition/grid
//!use norms/parts/response

// Buffers: x, dy, dx.

override WG: u32 = 256;
override QUADS: u32 = 4;

@compute @workgroup_size(WG)
fn local_response_norm_backward(@builtin(workgroup_id) wid: vec3<u32>,
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
        let behind = params.size - 1u - params.before;
        var own = vec4<f32>(0.0);
        var sum = vec4<f32>(0.0);
        for (var j = 0u; j < params.size; j++) {
            let there = exists(c, j, behind);
            let other = select(e, e + j * params.inner - behind * params.inner, there);
            let d = denominators(other, select(c, c + j - behind, there));
            let p = responses(d);
            if j == behind { own = p; }
            sum += select(vec4<f32>(0.0), dy_near(other) * x_near(other) * p / divisors(d), there);
        }
        dx_store(q - params.base, dy_near(e) * own - params.slope * x_near(e) * sum);
    }
}
