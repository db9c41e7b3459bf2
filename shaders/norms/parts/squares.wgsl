// Sums of squares. For lib/channels/reduce; buffer: x.
//!use lib/reduce/two_sums
struct Frame { unused: u32 }

fn frame(some: vec3<u32>, channel: u32) -> Frame {
    return Frame(0u);
}

fn visit(s: State, f: Frame, e: u32, at: u32, live: vec4<bool>, count: f32) -> State {
    let x = x_four(e);
    if MASKED && COLUMNS == 0u { return State(s.n, select(s.a, s.a + x * x, live), s.b); }
    return State(s.n, s.a + x * x, s.b);
}
