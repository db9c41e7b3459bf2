// Losses of models side by side and their gradients: rows of `models` rows of `quads` quads, a weight for each. A lane handles
// `length` rows of a model, one after the other, and leaves their sums: that of losses, and behind those of all models that of the weights
// of rows that are right. Open name: row_loss (batched/parts/*).
//!use lib/partition/grid

// Buffers: prediction, wanted, weight (read), grad, partials (written).

override WG: u32 = 64;

// The columns behind the last one only fill the quad.
fn live(q: u32) -> vec4<bool> {
    return vec4<u32>(4u * q, 4u * q + 1u, 4u * q + 2u, 4u * q + 3u) < vec4<u32>(params.columns);
}

@compute @workgroup_size(WG)
fn batched_loss(@builtin(workgroup_id) wid: vec3<u32>,
                @builtin(num_workgroups) count: vec3<u32>,
                @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = block * WG + lane_of(index, WG);
    if lane >= params.lanes { return; }
    let model = lane % params.models;
    let run = lane / params.models;
    let last = min((run + 1u) * params.length, params.rows) * params.models;
    var sum = vec2<f32>(0.0);
    // Places are those of the row's weight; they differ from lane to lane, for the reason that `batched_relu_dropout` gives.
    for (var place = run * params.length * params.models + model; place < last; place += params.models) {
        let start = place * params.quads;
        let end = start + params.quads;
        let w = weight[place];
        // Not a product with 0, which would keep NaN.
        if (bitcast<u32>(w) & 0x7fffffffu) == 0u {
            for (var at = start; at < end; at++) { grad_store(at, vec4<f32>(0.0)); }
        } else {
            sum += row_loss(start, end, w);
        }
    }
    partials[2u * run * params.models + model] = sum.x;
    partials[(2u * run + 1u) * params.models + model] = sum.y;
}
