// RMS norm for lib/rows/rows_forward: sums of squares, in runs of RUN where a lane does not hold its share.
// Open: HELD (lib/rows/regs_*), of_team (lib/rows/team_*). Buffers: x, weight, rstd.
//!use lib/reduce/sum_f32
//!use lib/channels/inverse_std
//!use lib/rows/row_weight_quads
const RUN: u32 = 64u;

alias Share = Partial;

struct Columns { weight: vec4<f32> }

fn sum4(v: vec4<f32>) -> f32 { return (v.x + v.y) + (v.z + v.w); }

fn look(at: u32, trips: u32) -> Partial {
    var all = vec4<f32>(0.0);
    if HELD > 0u {
        for (var i = 0u; i < HELD; i++) {
            var v = vec4<f32>(0.0);
            if (FULL && trips > 0u) || i < trips { v = x_load(at + i * params.lanes); }
            held[i] = v;
            all += v * v;
        }
        return sum4(all);
    }
    for (var run = 0u; run < trips; run += RUN) {
        var some = vec4<f32>(0.0);
        for (var i = run; i < min(run + RUN, trips); i++) {
            let v = x_load(at + i * params.lanes);
            some += v * v;
        }
        all += some;
    }
    return sum4(all);
}

// In uniform control flow; `trips` is 0 for a row that is none.
fn gathered(lane: u32, part: u32, at: u32, trips: u32) -> Partial {
    return of_team(lane, part, look(at, trips));
}

// (rstd, unused)
fn settle(row: u32, sum: Partial, kept: bool) -> vec4<f32> {
    var rstd = inverse_std(sum / params.values, params.eps);
    // What is infinite is not to become 0 by division: the whole row becomes NaN.
    let bits = bitcast<u32>(sum);
    if (bits & 0x7fffffffu) >= 0x7f800000u { rstd = bitcast<f32>(bits | 0x7fc00000u); }
    if kept { rstd_put(row, rstd); }
    return vec4<f32>(rstd, 0.0, 0.0, 0.0);
}

fn columns(row: u32, q: u32) -> Columns { return Columns(weights_of(q)); }

fn normalized(v: vec4<f32>, c: vec4<f32>, at: Columns) -> vec4<f32> { return v * c.x * at.weight; }
