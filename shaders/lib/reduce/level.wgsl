// One level of a reduction: each workgroup merges up to `fan` partials of one row; see src/kernels/reduce.rs.
// Partial p of row r lies at r * row + p * stride. The result of a workgroup takes the place of its first partial (level_keep),
// so that a level needs no second range of scratch, or goes out as entry r of a result (level_out).
//!use lib/partition/grid
//!use lib/reduce/workgroup

// Buffers: partials, and result if it goes out.

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn reduce_level(@builtin(workgroup_id) wid: vec3<u32>,
                @builtin(num_workgroups) count: vec3<u32>,
                @builtin(local_invocation_index) index: u32) {
    let work = workgroup_index(wid, count);
    if work >= params.workgroups { return; }
    let row = work / params.per_row;
    let first = work % params.per_row * params.fan;
    let end = min(first + params.fan, params.count);
    let lane = lane_of(index, WG);
    var mine = NOTHING;
    // The second condition ends it also where numbers that nobody could bind would wrap.
    for (var p = first + lane; p < end && p >= first; p += WG) {
        mine = merge(mine, partials[row * params.row + p * params.stride]);
    }
    let all = reduce(lane, mine);
    if lane == 0u { level_store(row, row * params.row + first * params.stride, all); }
}
