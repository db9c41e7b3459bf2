// dx = dy·wᵀ where gate > 0, else 0: the gradient behind a layer, taken back through the ReLU whose output is `gate`.
// One lane per tile of 4 rows by 4 inputs: 64 products for 8 loads. Sums in f32, outputs in ascending order.
//!use lib/grid

struct Params { batch: u32, in_quads: u32, out_quads: u32, tiles: u32 }

@group(0) @binding(0) var<uniform> params: Params;
// Buffers: dy, w, gate (read), dx (written).

override WG: u32 = 64;

fn put(q: u32, v: vec4<f32>) {
    dx_store(q, select(vec4<f32>(0.0), v, gate_load(q) > vec4<f32>(0.0)));
}

@compute @workgroup_size(WG)
fn dense_input_grad(@builtin(workgroup_id) wid: vec3<u32>,
                    @builtin(num_workgroups) count: vec3<u32>,
                    @builtin(local_invocation_index) index: u32) {
    let tile = workgroup_index(wid, count) * WG + lane_of(index, WG);
    if tile >= params.tiles { return; }
    let column = tile % params.in_quads;
    let row = tile / params.in_quads * 4u;
    // Rows past the end repeat the last one; they are not stored.
    let rows = min(vec4<u32>(row, row + 1u, row + 2u, row + 3u), vec4<u32>(params.batch - 1u));
    let start = rows * params.out_quads;
    let base = 4u * column * params.out_quads;
    var d0 = vec4<f32>(0.0);
    var d1 = vec4<f32>(0.0);
    var d2 = vec4<f32>(0.0);
    var d3 = vec4<f32>(0.0);
    // Counted in places that differ from lane to lane, for the reason that `dense` gives.
    var q = 0u;
    for (var at = base; at < base + params.out_quads; at++) {
        let w0 = w_load(at);
        let w1 = w_load(at + params.out_quads);
        let w2 = w_load(at + 2u * params.out_quads);
        let w3 = w_load(at + 3u * params.out_quads);
        let g0 = dy_load(start.x + q);
        let g1 = dy_load(start.y + q);
        let g2 = dy_load(start.z + q);
        let g3 = dy_load(start.w + q);
        d0 += vec4<f32>(dot(g0, w0), dot(g0, w1), dot(g0, w2), dot(g0, w3));
        d1 += vec4<f32>(dot(g1, w0), dot(g1, w1), dot(g1, w2), dot(g1, w3));
        d2 += vec4<f32>(dot(g2, w0), dot(g2, w1), dot(g2, w2), dot(g2, w3));
        d3 += vec4<f32>(dot(g3, w0), dot(g3, w1), dot(g3, w2), dot(g3, w3));
        q++;
    }
    let to = row * params.in_quads + column;
    put(to, d0);
    if row + 1u < params.batch { put(to + params.in_quads, d1); }
    if row + 2u < params.batch { put(to + 2u * params.in_quads, d2); }
    if row + 3u < params.batch { put(to + 3u * params.in_quads, d3); }
}
