// Weight norm for lib/rows/rows_forward; a row is a filter. Sums of squares in three scales, in runs of RUN where a lane does not hold its
// share; see lib/reduce/scaled_squares.
// Open: HELD (lib/rows/regs_*), of_team (lib/rows/team_*). Buffers: x, g, inverse_norm.
//!use lib/reduce/sum_vec4
//!use norms/parts/inverse_norm
//!use lib/rows/affine_none
const RUN: u32 = 64u;

alias Share = Partial;

fn look(at: u32, trips: u32) -> Partial {
    let none = Squares(vec4<f32>(0.0), vec4<f32>(0.0), vec4<f32>(0.0));
    var all = none;
    if HELD > 0u {
        for (var i = 0u; i < HELD; i++) {
            var v = vec4<f32>(0.0);
            if (FULL && trips > 0u) || i < trips { v = x_load(at + i * params.lanes); }
            held[i] = v;
            all = with_squares(all, v);
        }
        return partial_of(all);
    }
    for (var run = 0u; run < trips; run += RUN) {
        var some = none;
        for (var i = run; i < min(run + RUN, trips); i++) { some = with_squares(some, x_load(at + i * params.lanes)); }
        all = Squares(all.large + some.large, all.middle + some.middle, all.small + some.small);
    }
    return partial_of(all);
}

// In uniform control flow; `trips` is 0 for a row that is none.
fn gathered(lane: u32, part: u32, at: u32, trips: u32) -> Partial {
    return of_team(lane, part, look(at, trips));
}

// (1 / norm, g, unused, unused)
fn settle(row: u32, sums: Partial, kept: bool) -> vec4<f32> {
    let inverse = inverse_norm_of(sums);
    if kept { inverse_norm_put(row, inverse); }
    return vec4<f32>(inverse, g_at(row), 0.0, 0.0);
}

// In this order, as in norms/parts/scale_filters.
fn normalized(v: vec4<f32>, c: vec4<f32>, at: Columns) -> vec4<f32> { return v * c.x * c.y; }
