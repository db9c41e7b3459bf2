// Sums of what rows add to a duality gap, a partial for each model and chunk of rows; a lane for each. Models are side by side.
// Part: linear/parts/spread_*. Buffers: residual, weight (sets, one behind the other), partials (written).
//!use lib/partition/grid

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn model_spreads(@builtin(workgroup_id) wid: vec3<u32>,
                 @builtin(num_workgroups) count: vec3<u32>,
                 @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let at = block * WG + lane_of(index, WG);
    if at >= params.total { return; }
    let model = at % params.models;
    let first = at / params.models * params.chunk;
    let last = min(first + params.chunk, params.rows);
    let start = model / params.per_set * params.rows;
    var sum = 0.0;
    for (var i = first; i < last; i++) {
        let w = weight[start + i];
        let spread = model_spread(residual[i * params.models + model], w);
        sum += select(spread, 0.0, (bitcast<u32>(w) & 0x7fffffffu) == 0u);
    }
    partials[at] = sum;
}
