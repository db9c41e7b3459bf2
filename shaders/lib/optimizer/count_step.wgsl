// Counts a step that is made, and leaves its corrections for lib/optimizer/correct_gpu. One workgroup reads and moves the counter
// before any other runs, so that all windows of a step see the same number.
//
// 1 - β^t is not taken from a power, whose accuracy WGSL leaves open, and which would cancel. The table has (1 - β^n, β^n) of both β
// for n = d·16^k, d = 0..15, k = 0..7, row 16k + d, as the host knows them in f64; and 1 - β^(a+b) = (1 - β^a) + β^a·(1 - β^b), a sum
// of what is not negative: eight products and sums, whatever t is.
// Open: update_is_skipped. Buffers: steps, flag (updated), powers (read).
//!use lib/partition/grid

fn inverse(x: f32) -> f32 {
    // A quotient may be off by 2.5 ulp even where the divisor is 1.
    return select(1.0 / x, 1.0, x == 1.0);
}

@compute @workgroup_size(1)
fn count_step(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>) {
    if workgroup_index(wid, count) >= params.blocks || update_is_skipped() { return; }
    // The counter stops where it would wrap: there, no β^t is left that f32 could tell from 0.
    let before = steps[0];
    let t = select(before + 1u, before, before == 0xffffffffu);
    steps[0] = t;
    var lost = vec2<f32>(0.0);
    var left = vec2<f32>(1.0);
    for (var k = 0u; k < 8u; k++) {
        let row = powers[16u * k + ((t >> (4u * k)) & 15u)];
        lost = lost + left * row.xz;
        left = left * row.yw;
    }
    flag[2] = bitcast<u32>(inverse(lost.x));
    flag[3] = bitcast<u32>(inverse(sqrt(lost.y)));
    flag[4] = bitcast<u32>(params.eps * lost.y);
}
