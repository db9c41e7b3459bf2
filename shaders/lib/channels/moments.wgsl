// Count, mean and squared deviations by Welford's recurrence ("Note on a method for calculating corrected sums of squares
// and products", 1962), on values measured from one of them: that difference is exact or nearly so, and a constant channel
// has variance 0 exactly. It is the median of the chunk's first, middle and last, so that one outlier does no harm.
// For lib/channels/reduce; buffer: x.
//!use lib/channels/welford

fn frame(some: vec3<u32>, channel: u32) -> Frame {
    let a = x_four(some.x);
    let b = x_four(some.y);
    let v = max(min(a, b), min(max(a, b), x_four(some.z)));
    return Frame(select(v, vec4<f32>(v.x), COLUMNS == 0u));
}

fn visit(s: State, f: Frame, e: u32, at: u32, live: vec4<bool>, count: f32) -> State {
    let d = x_four(e) - f.k;
    let delta = d - s.a;
    if MASKED && COLUMNS == 0u {
        let n = s.n + select(vec4<f32>(0.0), vec4<f32>(1.0), live);
        let mean = s.a + delta / max(n, vec4<f32>(1.0));
        return State(n, select(s.a, mean, live), select(s.b, s.b + delta * (d - mean), live));
    }
    let mean = s.a + delta * (1.0 / count);
    return State(vec4<f32>(count), mean, s.b + delta * (d - mean));
}
