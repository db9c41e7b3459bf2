// dx = dy/(1 - p) where y > 0, else 0, for models side by side: rows of `models` rows of `quads` quads. A lane serves `each` models
// at one place of a row. A model whose p is no probability becomes NaN.
//!use lib/partition/grid
//!use batched/parts/inverse_keep

// Buffers: dy, y (read), p: array<u32> (read), dx (written).

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn batched_relu_dropout_backward(@builtin(workgroup_id) wid: vec3<u32>,
                                 @builtin(num_workgroups) count: vec3<u32>,
                                 @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = block * WG + lane_of(index, WG);
    if lane >= params.lanes { return; }
    let place = lane % params.places;
    let first = lane / params.places * params.each;
    let start = place / params.quads * params.models;
    let q = place % params.quads;
    let end = (start + min(first + params.each, params.models)) * params.quads + q;
    var model = first;
    // Counted as in the forward kernel.
    for (var at = (start + first) * params.quads + q; at < end; at += params.quads) {
        let bits = p[model];
        let drop = bitcast<f32>(bits);
        // Positive, by the bits: neither 0 nor NaN, and nothing is flushed.
        let above = bitcast<vec4<u32>>(y_load(at)) - vec4<u32>(1u) < vec4<u32>(0x7f800000u);
        let v = select(vec4<f32>(0.0), dy_load(at) * inverse_keep(drop), above & vec4<bool>(drop < 1.0));
        dx_store(at, select(v, vec4<f32>(bitcast<f32>(params.nan)), !is_probability(bits)));
        model++;
    }
}
