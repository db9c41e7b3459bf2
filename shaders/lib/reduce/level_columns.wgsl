// As lib/reduce/level, for rows whose partials lie side by side: partial p of row r is entry r + p * stride. Lanes lie side by side across
// WIDTH neighbouring rows, so what they read is side by side too; where WIDTH is less than WG, the others take partials in turn.
//!use lib/partition/grid

// Buffers: partials, and results if they go out.

override WG: u32 = 256;
override WIDTH: u32 = 8;

var<workgroup> of_lanes: array<Partial, WG>;

@compute @workgroup_size(WG)
fn reduce_columns(@builtin(workgroup_id) wid: vec3<u32>,
                  @builtin(num_workgroups) count: vec3<u32>,
                  @builtin(local_invocation_index) index: u32) {
    let work = workgroup_index(wid, count);
    if work >= params.workgroups { return; }
    let lane = lane_of(index, WG);
    let row = work / params.per_row * WIDTH + lane % WIDTH;
    let first = work % params.per_row * params.fan;
    let end = min(first + params.fan, params.count);
    let here = row < params.rows;
    var mine = NOTHING;
    if here {
        // The second condition ends it also where numbers that nobody could bind would wrap.
        for (var p = first + lane / WIDTH; p < end && p >= first; p += WG / WIDTH) {
            mine = merge(mine, partials[row + p * params.stride]);
        }
    }
    if WIDTH < WG {
        of_lanes[lane] = mine;
        workgroupBarrier();
        for (var half = WG / 2u; half >= WIDTH; half /= 2u) {
            if lane < half { of_lanes[lane] = merge(of_lanes[lane], of_lanes[lane + half]); }
            workgroupBarrier();
        }
        mine = of_lanes[lane];
    }
    if lane < WIDTH && here { level_store(row, row + first * params.stride, mine); }
}
