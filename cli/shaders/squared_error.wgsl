// For each row of predictions p and targets t: loss = Σ (p - t)², and its gradient scale·2·(p - t).
// One workgroup per block of params.block rows, a row per lane and turn; the block's sum of losses goes to `tally`.
//!use lib/grid

struct Params { rows: u32, quads: u32, columns: u32, block: u32, blocks: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
// Buffers: prediction, wanted (read), grad, tally (written).

override WG: u32 = 64;

// The columns behind the last value only fill the quad.
fn live(q: u32) -> vec4<bool> {
    return vec4<u32>(4u * q, 4u * q + 1u, 4u * q + 2u, 4u * q + 3u) < vec4<u32>(params.columns);
}

@compute @workgroup_size(WG)
fn squared_error(@builtin(workgroup_id) wid: vec3<u32>,
                 @builtin(num_workgroups) count: vec3<u32>,
                 @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    var loss = 0.0;
    for (var i = lane; i < params.block; i += WG) {
        let row = block * params.block + i;
        if row >= params.rows { continue; }
        for (var q = row * params.quads; q < (row + 1u) * params.quads; q++) {
            let d = select(vec4<f32>(0.0), prediction_load(q) - wanted_load(q), live(q - row * params.quads));
            loss += dot(d, d);
            grad_store(q, params.scale * 2.0 * d);
        }
    }
    fold_tally(block, lane, vec2<f32>(loss, 0.0));
}
