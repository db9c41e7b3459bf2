// Sums of g and of g * xhat, with xhat = (x - mean) * rstd and g the gradient as it comes back through the activation.
// For lib/channels/reduce; buffers: x, dy, spread (rstd, or the variance that it comes from).
// Open: gradient (losses/parts/gradient_*: what dy is), mean_of (lib/channels/center_*), affine and gated (lib/channels/act_grad_*: the activation), kept
// (dropouts/parts/keep_*: which values count; where not all do, they are counted too), line_of (lib/line_*: whose the statistics are),
// weight_for and emit (lib/channels/store_*: what is written beside the sums).
//!use lib/channels/inverse_std
//!use lib/reduce/two_sums
override VARIANCE: bool = false;

struct Frame { mean: vec4<f32>, rstd: vec4<f32>, weight: vec4<f32>, bias: vec4<f32>, scale: vec4<f32> }

fn frame(some: vec3<u32>, channel: u32) -> Frame {
    var f: Frame;
    for (var i = 0u; i < 4u; i++) {
        let c = select(channel, min(channel + i, params.channels - 1u), COLUMNS > 0u);
        let line = line_of(some.x, c);
        f.mean[i] = mean_of(line);
        f.rstd[i] = spread_at(line);
        if VARIANCE { f.rstd[i] = inverse_std(f.rstd[i], params.eps); }
        let a = affine(c);
        f.weight[i] = a.x;
        f.bias[i] = a.y;
        f.scale[i] = weight_for(c) * f.rstd[i];
    }
    return f;
}

fn visit(s: State, f: Frame, e: u32, at: u32, live: vec4<bool>, count: f32) -> State {
    let xhat = (x_four(e) - f.mean) * f.rstd;
    let g = gated(e, gradient(e, at), xhat * f.weight + f.bias);
    emit(e, f.scale, g);
    if SOME {
        let on = kept(e, at, live);
        let n = s.n + select(vec4<f32>(0.0), vec4<f32>(1.0), on);
        return State(n, select(s.a, s.a + g, on), select(s.b, s.b + g * xhat, on));
    }
    if MASKED && COLUMNS == 0u {
        return State(s.n, select(s.a, s.a + g, live), select(s.b, s.b + g * xhat, live));
    }
    return State(s.n, s.a + g, s.b + g * xhat);
}
