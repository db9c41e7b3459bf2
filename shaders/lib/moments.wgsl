// Count, mean and squared deviations by Welford's recurrence ("Note on a method for calculating corrected sums of squares
// and products", 1962), on values measured from one of them: that difference is exact or nearly so, and a constant channel
// has variance 0 exactly. It is the median of the chunk's first, middle and last, so that one outlier does no harm.
// For lib/channel_reduce; buffer: x.
struct Frame { k: vec4<f32> }

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

fn join(a: State, b: State) -> State {
    let n = a.n + b.n;
    let share = b.n / max(n, vec4<f32>(1.0));
    let delta = b.a - a.a;
    // A part without values changes nothing.
    let first = a.n > vec4<f32>(0.0);
    let both = first & (b.n > vec4<f32>(0.0));
    return State(n, select(select(b.a, a.a, first), a.a + delta * share, both),
                 a.b + b.b + select(vec4<f32>(0.0), delta * delta * (a.n * share), both));
}

fn write(at: u32, i: u32, f: Frame, s: State) {
    partials[at] = vec4<f32>(s.n[i], f.k[i], s.a[i], s.b[i]);
}
