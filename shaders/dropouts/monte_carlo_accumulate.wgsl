// Mean and sum of squared deviations of each element over passes, one more of which is x (Welford). One workgroup per block of
// WG * QUADS quads, lanes side by side.
// Buffers: x (read), mean, m2 (updated); those of report (dropouts/parts/variance_none, dropouts/parts/variance_given).
//!use lib/partition/grid

override WG: u32 = 256;
override QUADS: u32 = 4;

@compute @workgroup_size(WG)
fn monte_carlo_accumulate(@builtin(workgroup_id) wid: vec3<u32>,
                          @builtin(num_workgroups) count: vec3<u32>,
                          @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let start = (params.first + block) * QUADS * WG + lane_of(index, WG);
    for (var k = 0u; k < QUADS; k++) {
        let q = start + k * WG;
        if q < params.lo || q >= params.hi { continue; }
        let i = q - params.base;
        let x = x_load(i);
        let old = mean_load(i);
        let delta = x - old;
        // Before the first pass both hold anything, also NaN.
        let begun = vec4<bool>(params.seen > 0u);
        let squares = select(vec4<f32>(0.0), m2_load(i) + delta * delta * params.weight, begun);
        mean_store(i, select(x, old + delta * params.share, begun));
        m2_store(i, squares);
        report(i, squares);
    }
}
