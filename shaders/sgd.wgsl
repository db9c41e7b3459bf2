// One step of stochastic gradient descent over every tensor of an arena, all regularization in the same pass:
// g = factor·grad + coupled gradient; d = direction(g); w = prox(w - (decay·w + rate·d)).
// One workgroup per block of WG * QUADS quads, lanes side by side. Open: gpu_scale, step_is_skipped, direction.
//!use lib/grid
//!use lib/segments
//!use lib/elastic

struct Params {
    segments: u32, first: u32, blocks: u32, lo: u32, hi: u32, base: u32, end: u32,
    grad_scale: f32, momentum: f32, fresh: f32, first_step: u32, nesterov: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
// Buffers: grad (read), weight (updated), table; with their parts: scale (read), momentum_buffer (updated), flag (read).

override WG: u32 = 256;
override QUADS: u32 = 4;

@compute @workgroup_size(WG)
fn sgd(@builtin(workgroup_id) wid: vec3<u32>,
       @builtin(num_workgroups) count: vec3<u32>,
       @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks || step_is_skipped() { return; }
    let b = find_block(params.first + block, WG * QUADS);
    // (λ1, slope, decay, rate) and (threshold, divisor).
    let group = group_row(b, 2u, 0u);
    let prox = group_row(b, 2u, 1u);
    let factor = params.grad_scale * gpu_scale();
    for (var k = 0u; k < QUADS; k++) {
        let q = b.start + k * WG + lane_of(index, WG);
        if q < params.lo || q >= b.end { continue; }
        let i = q - params.base;
        let alive = live(b, q);
        let w = weight_load(i);
        let g = factor * grad_load(i) + elastic_gradient(w, group.x, group.y);
        let d = direction(i, g, alive);
        let decay = select(vec4<f32>(0.0), group.z * w, group.z != 0.0);
        let toward = select(vec4<f32>(0.0), group.w * d, group.w != 0.0);
        let next = elastic_prox(w - (decay + toward), prox.x, prox.y);
        weight_store(i, select(w, next, alive));
    }
}
