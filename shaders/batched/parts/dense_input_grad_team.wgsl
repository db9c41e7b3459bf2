// `batched_dense_input_grad` where lanes are a team, see batched/parts/dense_forward_team: a lane for each of 8 neighbouring quads of inputs, and
// 16 rows. The slopes that all of them need, each lane loads for a different row: 256 products for 6 loads. Each sum is formed
// as in the plain kernel.
//!use lib/partition/grid
//!use batched/parts/dense_team
//!use batched/parts/inverse_keep

// Buffers: dy, w, gate, p (read), dx (written).

fn put(row: u32, to: Place, scale: f32, v: vec4<f32>) {
    if !to.stores || row >= params.rows { return; }
    let q = (row * params.models + to.model) * params.in_quads + to.column;
    // Positive, by the bits: neither 0 nor NaN, for which some compilers find `> 0` true, and nothing is flushed.
    let above = bitcast<vec4<u32>>(gate_load(q)) - vec4<u32>(1u) < vec4<u32>(0x7f800000u);
    // Where all is dropped, the scale is 0, and nothing else may come through: no infinity times 0.
    let open = above & vec4<bool>(scale > 0.0);
    dx_store(q, select(vec4<f32>(0.0), v * scale, open));
}

fn put_eight(row: u32, to: Place, scale: f32, d: Eight) {
    put(row, to, scale, d.a);
    put(row + 1u, to, scale, d.b);
    put(row + 2u, to, scale, d.c);
    put(row + 3u, to, scale, d.d);
    put(row + 4u, to, scale, d.e);
    put(row + 5u, to, scale, d.f);
    put(row + 6u, to, scale, d.g);
    put(row + 7u, to, scale, d.h);
}

// Eight more quads of dy, a lane's each.
fn add(sums: Eight, dy: vec4<f32>, w: mat4x4<f32>) -> Eight {
    var d = sums;
    d.a += subgroupBroadcast(dy, 0u) * w;
    d.b += subgroupBroadcast(dy, 1u) * w;
    d.c += subgroupBroadcast(dy, 2u) * w;
    d.d += subgroupBroadcast(dy, 3u) * w;
    d.e += subgroupBroadcast(dy, 4u) * w;
    d.f += subgroupBroadcast(dy, 5u) * w;
    d.g += subgroupBroadcast(dy, 6u) * w;
    d.h += subgroupBroadcast(dy, 7u) * w;
    return d;
}

@compute @workgroup_size(8)
fn batched_dense_input_grad(@builtin(workgroup_id) wid: vec3<u32>,
                            @builtin(num_workgroups) count: vec3<u32>,
                            @builtin(subgroup_invocation_id) lane: u32) {
    let tile = workgroup_index(wid, count);
    if tile >= params.tiles { return; }
    let to = place_of(tile, params.in_quads, lane);
    let row = to.down * 16u;
    let from_upper = line_of(row + lane, to.model) * params.out_quads;
    let from_lower = line_of(row + 8u + lane, to.model) * params.out_quads;
    let from_w = 4u * to.column * params.out_quads;
    var upper = Eight();
    var lower = Eight();
    // Counted in places that depend on the model alone, for the reasons that batched/parts/dense_forward_team gives.
    let base = tile / params.per_model * params.weights;
    var q = 0u;
    for (var at = base; at < base + params.out_quads; at++) {
        let here = at + from_w;
        let w = mat4x4<f32>(w_load(here), w_load(here + params.out_quads), w_load(here + 2u * params.out_quads),
                            w_load(here + 3u * params.out_quads));
        upper = add(upper, dy_load(from_upper + q), w);
        lower = add(lower, dy_load(from_lower + q), w);
        q++;
    }
    let scale = select(inverse_keep(p[to.model]), 0.0, p[to.model] >= 1.0);
    put_eight(row, to, scale, upper);
    put_eight(row + 8u, to, scale, lower);
}
