// One optimizer step over every tensor of an arena, all regularization in the same pass: g = factor·grad + coupled gradient,
// then the op's rule makes the new weight. One workgroup per block of WG * QUADS quads, lanes side by side.
// Open: gpu_scale, update_is_skipped, updated; weight_before and weight_after (lib/optimizer/weight_*), as_stored (lib/optimizer/stored_*),
// note_average (lib/weight_average/*). Needs `params` with the words of src/kernels/optimizer/macros.rs.
//!use lib/partition/grid
//!use lib/arena/segments
//!use lib/arena/elastic

override WG: u32 = 256;
override QUADS: u32 = 4;

fn optimizer_step(wid: vec3<u32>, count: vec3<u32>, index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks || update_is_skipped() { return; }
    let b = find_block(params.first + block, WG * QUADS);
    // (λ1, slope, decay, rate) and (threshold, divisor, λ1 and slope of the proximal penalty).
    let group = group_row(b, 2u, 0u);
    let prox = group_row(b, 2u, 1u);
    let factor = params.grad_scale * gpu_scale();
    for (var k = 0u; k < QUADS; k++) {
        let q = b.start + k * WG + lane_of(index, WG);
        if q < params.lo || q >= b.end { continue; }
        let i = q - params.base;
        let alive = live(b, q);
        let w = weight_before(i);
        let g = factor * grad_load(i) + elastic_gradient(w, group.x, group.y);
        let next = weight_after(i, q, w, updated(i, w, g, group, prox, alive), alive);
        note_average(i, next, alive);
    }
}
