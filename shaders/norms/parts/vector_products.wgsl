// Sums of x times a vector with an entry for each place across the channels: the product of a matrix with it, channels being
// rows, or of its transpose, channels being columns. For lib/channels/reduce; buffers: x, vector.
//!use lib/reduce/two_sums
struct Frame { unused: u32 }

fn frame(some: vec3<u32>, channel: u32) -> Frame {
    return Frame(0u);
}

fn visit(s: State, f: Frame, e: u32, at: u32, live: vec4<bool>, count: f32) -> State {
    let place = select(min(at + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(params.inner - 1u)), vec4<u32>(at), COLUMNS > 0u);
    let v = vec4<f32>(vector_at(place.x), vector_at(place.y), vector_at(place.z), vector_at(place.w));
    let a = s.a + x_four(e) * v;
    if MASKED && COLUMNS == 0u { return State(s.n, select(s.a, a, live), s.b); }
    return State(s.n, a, s.b);
}
