// Moments of rows, for lib/row_forward. A lane measures its share of a row from the first value in it, K: two passes over
// what it holds, else Welford's recurrence in runs of RUN; shares merge as in lib/chan_shifted.
// Open: HELD (lib/held_*). Buffer: x.
//!use lib/chan_shifted
const RUN: u32 = 64u;

fn sum4(v: vec4<f32>) -> f32 { return (v.x + v.y) + (v.z + v.w); }

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
    if HELD > 0u {
        var sum = vec4<f32>(0.0);
        for (var i = 0u; i < HELD; i++) {
            if i > 0u && i < trips { v = x_load(at + i * params.lanes); }
            held[i] = v;
            sum += select(vec4<f32>(0.0), v - k, i < trips);
        }
        let n = f32(4u * trips);
        let mean = sum4(sum) / n;
        var squares = vec4<f32>(0.0);
        for (var i = 0u; i < HELD; i++) {
            let far = (held[i] - k) - mean;
            squares += select(vec4<f32>(0.0), far * far, i < trips);
        }
        return vec4<f32>(n, k, mean, sum4(squares));
    }
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
