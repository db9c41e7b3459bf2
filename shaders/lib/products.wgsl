// Sums of dy and of dy * xhat, with xhat = (x - mean) * rstd. For lib/channel_reduce; buffers: x, dy, mean, spread (rstd,
// or the variance that it comes from).
//!use lib/inverse_std
override VARIANCE: bool = false;

struct Frame { mean: vec4<f32>, rstd: vec4<f32> }

fn frame(some: vec3<u32>, channel: u32) -> Frame {
    var f: Frame;
    for (var i = 0u; i < 4u; i++) {
        let c = select(channel, min(channel + i, params.channels - 1u), COLUMNS > 0u);
        f.mean[i] = mean_at(c);
        f.rstd[i] = spread_at(c);
        if VARIANCE { f.rstd[i] = inverse_std(f.rstd[i], params.eps); }
    }
    return f;
}

fn visit(s: State, f: Frame, e: u32, live: vec4<bool>, count: f32) -> State {
    let dy = dy_four(e);
    let xhat = (x_four(e) - f.mean) * f.rstd;
    if MASKED && COLUMNS == 0u {
        return State(s.n, select(s.a, s.a + dy, live), select(s.b, s.b + dy * xhat, live));
    }
    return State(s.n, s.a + dy, s.b + dy * xhat);
}

fn join(a: State, b: State) -> State {
    return State(a.n, a.a + b.a, a.b + b.b);
}

fn write(at: u32, i: u32, f: Frame, s: State) {
    partials[at] = vec4<f32>(s.a[i], s.b[i], 0.0, 0.0);
}
