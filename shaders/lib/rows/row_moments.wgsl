// Moments of rows, for lib/rows/rows_forward. A lane that does not hold its share measures it from the first value in it, K, by Welford's
// recurrence in runs of RUN; shares merge as in lib/channels/shifted_moments.
// Lanes that hold their shares measure from the row's first value, K, and then from the mean, rounded: the sum of what is left
// corrects both the mean and the squares (Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983). A constant
// row has variance 0 exactly, and if K is an outlier, only the first mean suffers.
// Open: HELD (lib/rows/regs_*), of_team (lib/rows/team_*). Buffer: x.
//!use lib/channels/shifted_moments
const RUN: u32 = 64u;

alias Share = vec2<f32>;

fn sum4(v: vec4<f32>) -> f32 { return (v.x + v.y) + (v.z + v.w); }

// In uniform control flow; `trips` is 0 for a row that is none.
fn gathered(lane: u32, part: u32, at: u32, trips: u32) -> Partial {
    let n = f32(4u * params.quads);
    var k = 0.0;
    var sum = vec4<f32>(0.0);
    if trips > 0u {
        k = x_load(at - part).x;
        for (var i = 0u; i < HELD; i++) {
            if FULL || i < trips {
                held[i] = x_load(at + i * params.lanes);
                sum += held[i] - k;
            }
        }
    }
    let mean = k + of_team(lane, part, vec2<f32>(sum4(sum), 0.0)).x / n;
    var rest = vec4<f32>(0.0);
    var squares = vec4<f32>(0.0);
    if trips > 0u {
        for (var i = 0u; i < HELD; i++) {
            if FULL || i < trips {
                let far = held[i] - mean;
                rest += far;
                squares += far * far;
            }
        }
    }
    let left = of_team(lane, part, vec2<f32>(sum4(rest), sum4(squares)));
    let off = left.x / n;
    let moment = left.y - left.x * off;
    // Not `max`, which may hide a NaN.
    return vec4<f32>(n, mean, off, select(moment, 0.0, moment < 0.0));
}

// Of four states side by side, each of n values.
fn squashed(n: f32, k: f32, mean: vec4<f32>, squares: vec4<f32>) -> Partial {
    let all = sum4(mean) * 0.25;
    let far = mean - all;
    return vec4<f32>(4.0 * n, k, all, sum4(squares) + n * sum4(far * far));
}

fn look(at: u32, trips: u32) -> Partial {
    if trips == 0u { return NOTHING; }
    var v = x_load(at);
    let k = v.x;
    var all = NOTHING;
    var mean = v - k;
    var squares = vec4<f32>(0.0);
    var i = 1u;
    for (var run = 0u; run < trips; run += RUN) {
        let end = min(RUN, trips - run);
        for (; i < end; i++) {
            let d = x_load(at + (run + i) * params.lanes) - k;
            let delta = d - mean;
            mean += delta * (1.0 / f32(i + 1u));
            squares += delta * (d - mean);
        }
        all = merge(all, squashed(f32(end), k, mean, squares));
        mean = vec4<f32>(0.0);
        squares = vec4<f32>(0.0);
        i = 0u;
    }
    return all;
}
