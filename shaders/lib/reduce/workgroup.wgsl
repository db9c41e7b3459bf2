// One value per lane becomes one per workgroup, by a tree over any power of two of lanes, always in the same order.
// Needs a monoid (`lib/reduce/sum_f32` and the like: Partial, NOTHING, merge) and the override WG. Call it in uniform control
// flow, with the lane's own number (`lane_of`); every lane gets the result. May be called again.
var<workgroup> of_lanes: array<Partial, WG>;

fn reduce(lane: u32, mine: Partial) -> Partial {
    // Slower lanes may still read the result of an earlier call.
    workgroupBarrier();
    of_lanes[lane] = mine;
    workgroupBarrier();
    for (var half = WG / 2u; half > 0u; half /= 2u) {
        if lane < half { of_lanes[lane] = merge(of_lanes[lane], of_lanes[lane + half]); }
        workgroupBarrier();
    }
    return of_lanes[0];
}
