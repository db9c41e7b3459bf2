// dx = (dy·wᵀ)·1/(1 - p) of each model where gate > 0, else 0: the gradient behind a layer, taken back through the dropout and the
// ReLU whose output is `gate`. Layouts are those of `batched_dense`. One lane per tile of 8 rows by 4 inputs: 128 products for 12
// loads. Sums in f32, outputs in ascending order.
//!use lib/partition/grid
//!use batched/parts/inverse_keep

// Buffers: dy, w, gate, p (read), dx (written).

override WG: u32 = 64;
// Lanes side by side in a group of columns. Each of them reads rows of w of its own, so there are few, and more rows share them.
override ACROSS: u32 = 8;

struct Place { model: u32, column: u32, scale: f32 }

fn put(row: u32, to: Place, v: vec4<f32>) {
    if row >= params.rows { return; }
    let q = (row * params.models + to.model) * params.in_quads + to.column;
    // Positive, by the bits: neither 0 nor NaN, for which some compilers find `> 0` true, and nothing is flushed.
    let above = bitcast<vec4<u32>>(gate_load(q)) - vec4<u32>(1u) < vec4<u32>(0x7f800000u);
    // Where all is dropped, the scale is 0, and nothing else may come through: no infinity times 0.
    let open = above & vec4<bool>(to.scale > 0.0);
    dx_store(q, select(vec4<f32>(0.0), v * to.scale, open));
}

@compute @workgroup_size(WG)
fn batched_dense_input_grad(@builtin(workgroup_id) wid: vec3<u32>,
                            @builtin(num_workgroups) count: vec3<u32>,
                            @builtin(local_invocation_index) index: u32) {
    let tile = workgroup_index(wid, count) * WG + lane_of(index, WG);
    if tile >= params.tiles { return; }
    let model = tile / params.per_model;
    let place = tile % params.per_model;
    let height = params.per_model / params.in_quads;
    let left = place / (ACROSS * height) * ACROSS;
    let across = min(ACROSS, params.in_quads - left);
    let within = place - left * height;
    let column = left + within % across;
    let row = within / across * 8u;
    // Rows past the end repeat the last one; they are not stored.
    let last_row = vec4<u32>(params.rows - 1u);
    let upper = (min(vec4<u32>(row, row + 1u, row + 2u, row + 3u), last_row) * params.models + model) * params.out_quads;
    let lower = (min(vec4<u32>(row + 4u, row + 5u, row + 6u, row + 7u), last_row) * params.models + model) * params.out_quads;
    let base = model * params.weights + 4u * column * params.out_quads;
    var d0 = vec4<f32>(0.0);
    var d1 = vec4<f32>(0.0);
    var d2 = vec4<f32>(0.0);
    var d3 = vec4<f32>(0.0);
    var d4 = vec4<f32>(0.0);
    var d5 = vec4<f32>(0.0);
    var d6 = vec4<f32>(0.0);
    var d7 = vec4<f32>(0.0);
    // Counted in places that differ from lane to lane, for the reason that `batched_dense` gives.
    var q = 0u;
    for (var at = base; at < base + params.out_quads; at++) {
        let w = mat4x4<f32>(w_load(at), w_load(at + params.out_quads), w_load(at + 2u * params.out_quads),
                            w_load(at + 3u * params.out_quads));
        d0 += dy_load(upper.x + q) * w;
        d1 += dy_load(upper.y + q) * w;
        d2 += dy_load(upper.z + q) * w;
        d3 += dy_load(upper.w + q) * w;
        d4 += dy_load(lower.x + q) * w;
        d5 += dy_load(lower.y + q) * w;
        d6 += dy_load(lower.z + q) * w;
        d7 += dy_load(lower.w + q) * w;
        q++;
    }
    let to = Place(model, column, select(inverse_keep(p[model]), 0.0, p[model] >= 1.0));
    put(row, to, d0);
    put(row + 1u, to, d1);
    put(row + 2u, to, d2);
    put(row + 3u, to, d3);
    put(row + 4u, to, d4);
    put(row + 5u, to, d5);
    put(row + 6u, to, d6);
    put(row + 7u, to, d7);
}
