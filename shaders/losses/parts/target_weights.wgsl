// What the targets weigh together: the sum over rows of the weight of the row's class, 0 for a row to be ignored. A class
// that does not exist counts as 1, or as 0 where classes have weights. Open: weight_of.
// A workgroup per block of WG * SPAN rows, lanes side by side.
//!use lib/partition/grid
//!use lib/reduce/workgroup
//!use lib/reduce/sum_f32

// Buffers: target_class, partials (written), and that of weight_of.

override WG: u32 = 256;
override SPAN: u32 = 4;

@compute @workgroup_size(WG)
fn target_weights(@builtin(workgroup_id) wid: vec3<u32>,
                  @builtin(num_workgroups) count: vec3<u32>,
                  @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    var mine = NOTHING;
    for (var k = 0u; k < SPAN; k++) {
        let row = (block * SPAN + k) * WG + lane;
        if row >= params.rows { continue; }
        let t = target_class[row];
        if params.ignores == 1u && t == params.ignored { continue; }
        var weight = params.unknown;
        if t < params.classes { weight = weight_of(t); }
        mine = merge(mine, weight);
    }
    let all = reduce(lane, mine);
    if lane == 0u { partials[block] = all; }
}
