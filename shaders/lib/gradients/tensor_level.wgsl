// One level of a reduction of each tensor's partials by themselves: a workgroup merges up to `fan` partials of one tensor; see
// src/kernels/gradients/tensors.rs. The table `tensors` has a row for each: the number of its first workgroup, its first partial, how
// many partials it has left; these lie `stride` apart. Open: tensor_store (lib/gradients/tensor_keep, lib/gradients/tensor_norm), a monoid.
//!use lib/partition/grid
//!use lib/reduce/workgroup

// Buffers: partials, tensors (read), norm and scale if it is the last level.

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn tensor_level(@builtin(workgroup_id) wid: vec3<u32>,
                @builtin(num_workgroups) count: vec3<u32>,
                @builtin(local_invocation_index) index: u32) {
    let work = workgroup_index(wid, count);
    if work >= params.workgroups { return; }
    // The last tensor that begins here or before: those without workgroups share their number with the one behind them.
    var low = 0u;
    var high = params.tensors - 1u;
    while low < high {
        let middle = (low + high + 1u) / 2u;
        if tensors[middle].x <= work { low = middle; } else { high = middle - 1u; }
    }
    let row = tensors[low];
    let first = (work - row.x) * params.fan;
    let end = min(first + params.fan, row.z);
    let lane = lane_of(index, WG);
    var mine = NOTHING;
    for (var p = first + lane; p < end; p += WG) { mine = merge(mine, partials[row.y + p * params.stride]); }
    let all = reduce(lane, mine);
    if lane == 0u { tensor_store(low, row.y + first * params.stride, all); }
}
