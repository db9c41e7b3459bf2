// For each row of logits z and of target probabilities t: loss = Σ t·(ln Σ exp(z - max z) - (z - max z)), and its gradient
// scale·(softmax(z) - t). Right where z and t are largest in the same column (the first of equals).
// One workgroup per block of params.block rows, a row per lane and turn; the block's sums of loss and of rights go to `tally`.
//!use lib/grid

struct Params { rows: u32, quads: u32, columns: u32, block: u32, blocks: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
// Buffers: logits, wanted (read), grad, tally (written).

override WG: u32 = 64;

// The columns behind the last class only fill the quad.
fn live(q: u32) -> vec4<bool> {
    return vec4<u32>(4u * q, 4u * q + 1u, 4u * q + 2u, 4u * q + 3u) < vec4<u32>(params.columns);
}

struct Best { value: f32, column: u32 }

fn better(best: Best, v: vec4<f32>, q: u32) -> Best {
    var b = best;
    if v.x > b.value { b = Best(v.x, 4u * q); }
    if v.y > b.value { b = Best(v.y, 4u * q + 1u); }
    if v.z > b.value { b = Best(v.z, 4u * q + 2u); }
    if v.w > b.value { b = Best(v.w, 4u * q + 3u); }
    return b;
}

fn handle(row: u32) -> vec2<f32> {
    let lowest = -3.4e38;
    // Counted in places that differ from lane to lane, for the reason that `dense` gives.
    let start = row * params.quads;
    let end = start + params.quads;
    var z = Best(lowest, params.columns);
    var t = Best(lowest, params.columns);
    for (var at = start; at < end; at++) {
        z = better(z, select(vec4<f32>(lowest), logits_load(at), live(at - start)), at - start);
        t = better(t, select(vec4<f32>(lowest), wanted_load(at), live(at - start)), at - start);
    }
    var total = 0.0;
    for (var at = start; at < end; at++) {
        total += dot(select(vec4<f32>(0.0), exp(logits_load(at) - z.value), live(at - start)), vec4<f32>(1.0));
    }
    let norm = log(total);
    var loss = 0.0;
    for (var at = start; at < end; at++) {
        let d = logits_load(at) - z.value;
        let want = wanted_load(at);
        // A class of probability 0 adds nothing, however far its logit is off.
        loss += dot(select(vec4<f32>(0.0), want * (norm - d), live(at - start) & (want != vec4<f32>(0.0))), vec4<f32>(1.0));
        grad_store(at, select(vec4<f32>(0.0), params.scale * (exp(d) / total - want), live(at - start)));
    }
    return vec2<f32>(loss, select(0.0, 1.0, z.column == t.column && z.column < params.columns));
}

@compute @workgroup_size(WG)
fn cross_entropy(@builtin(workgroup_id) wid: vec3<u32>,
                 @builtin(num_workgroups) count: vec3<u32>,
                 @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    var sum = vec2<f32>(0.0);
    for (var i = lane; i < params.block; i += WG) {
        let row = block * params.block + i;
        if row < params.rows { sum += handle(row); }
    }
    fold_tally(block, lane, sum);
}
