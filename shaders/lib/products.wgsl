// Sums of dy and of dy * xhat, with xhat = (x - mean) * rstd. For lib/channel_reduce; buffers: x, dy, spread (rstd, or the
// variance that it comes from). Other parts say what dy is (lib/gradient_plain, lib/gradient_weighted) and what the mean
// is (lib/center_given, lib/center_none).
//!use lib/inverse_std
//!use lib/two_sums
override VARIANCE: bool = false;

struct Frame { mean: vec4<f32>, rstd: vec4<f32> }

fn frame(some: vec3<u32>, channel: u32) -> Frame {
    var f: Frame;
    for (var i = 0u; i < 4u; i++) {
        let c = select(channel, min(channel + i, params.channels - 1u), COLUMNS > 0u);
        f.mean[i] = mean_of(c);
        f.rstd[i] = spread_at(c);
        if VARIANCE { f.rstd[i] = inverse_std(f.rstd[i], params.eps); }
    }
    return f;
}

fn visit(s: State, f: Frame, e: u32, at: u32, live: vec4<bool>, count: f32) -> State {
    let dy = gradient(e, at);
    let xhat = (x_four(e) - f.mean) * f.rstd;
    if MASKED && COLUMNS == 0u {
        return State(s.n, select(s.a, s.a + dy, live), select(s.b, s.b + dy * xhat, live));
    }
    return State(s.n, s.a + dy, s.b + dy * xhat);
}
