// Sums of squares in three scales, so that neither overflows nor underflows; see lib/reduce/scaled_squares. For lib/channels/reduce;
// buffer: x.
//!use lib/reduce/scaled_squares
//!use lib/reduce/two_sums
struct Frame { unused: u32 }

fn frame(some: vec3<u32>, channel: u32) -> Frame {
    return Frame(0u);
}

fn visit(s: State, f: Frame, e: u32, at: u32, live: vec4<bool>, count: f32) -> State {
    var x = x_four(e);
    if MASKED && COLUMNS == 0u { x = select(vec4<f32>(0.0), x, live); }
    let sums = with_squares(Squares(s.a, s.b, s.n), x);
    return State(sums.small, sums.large, sums.middle);
}
