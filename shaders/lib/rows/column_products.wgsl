// Sums over rows of dy and of dy * xhat, for every place in a row: xhat = (x - mean) * rstd with the statistics of the row.
// For lib/channels/reduce in columns; buffers: x, dy, spread (rstd). Another part says what the mean is: lib/channels/center_given or
// lib/channels/center_none.
//!use lib/reduce/two_sums
struct Frame { unused: u32 }

fn frame(some: vec3<u32>, channel: u32) -> Frame {
    return Frame(0u);
}

fn visit(s: State, f: Frame, e: u32, at: u32, live: vec4<bool>, count: f32) -> State {
    let dy = dy_four(e);
    return State(s.n, s.a + dy, s.b + dy * ((x_four(e) - mean_of(at)) * spread_at(at)));
}
