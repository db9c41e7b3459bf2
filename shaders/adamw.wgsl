// One AdamW step over every tensor of an arena, all regularization in the same pass:
// g = factor·grad + coupled gradient; m, v = moments; w = prox(w - (decay·w + rate·m̂/(√v̂ + eps))).
// One workgroup per block of WG * QUADS quads, lanes side by side. Open: gpu_scale, step_is_skipped.
//!use lib/grid
//!use lib/segments
//!use lib/elastic

struct Params {
    segments: u32, first: u32, blocks: u32, lo: u32, hi: u32, base: u32, end: u32,
    grad_scale: f32, beta1: f32, fresh1: f32, beta2: f32, fresh2: f32, correct1: f32, correct2: f32, eps: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
// Buffers: grad (read), weight, m, v (updated), table; with their parts: scale (read), flag (read).

override WG: u32 = 256;
override QUADS: u32 = 4;

@compute @workgroup_size(WG)
fn adamw(@builtin(workgroup_id) wid: vec3<u32>,
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
        let m_old = m_load(i);
        let v_old = v_load(i);
        let g = factor * grad_load(i) + elastic_gradient(w, group.x, group.y);
        let m1 = params.beta1 * m_old + params.fresh1 * g;
        let v1 = params.beta2 * v_old + params.fresh2 * (g * g);
        m_store(i, select(m_old, m1, alive));
        v_store(i, select(v_old, v1, alive));
        // correct2 is the root of the correction: v̂ itself could overflow.
        let root = sqrt(v1) * params.correct2 + params.eps;
        // Only with eps = 0 can the root be 0, where no gradient was ever seen: then there is no step.
        let ratio = select(params.correct1 * m1 / root, vec4<f32>(0.0), root == vec4<f32>(0.0));
        let decay = select(vec4<f32>(0.0), group.z * w, group.z != 0.0);
        let toward = select(vec4<f32>(0.0), group.w * ratio, group.w != 0.0);
        let next = elastic_prox(w - (decay + toward), prox.x, prox.y);
        weight_store(i, select(w, next, alive));
    }
}
