// The sums of a block of rows, folded in the order of its lanes: loss in x, count in y.
// Needs the binding `tally`, one quad per block.
var<workgroup> sums: array<vec2<f32>, WG>;

// Call it from all lanes of the workgroup, in uniform control flow.
fn fold_tally(block: u32, lane: u32, sum: vec2<f32>) {
    sums[lane] = sum;
    workgroupBarrier();
    if lane == 0u {
        var all = vec2<f32>(0.0);
        for (var i = 0u; i < WG; i++) { all += sums[i]; }
        tally_store(block, vec4<f32>(all, 0.0, 0.0));
    }
}
