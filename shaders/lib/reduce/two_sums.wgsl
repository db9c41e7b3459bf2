// Two sums, and a count where one is kept, for lib/channels/reduce.
fn join(a: State, b: State) -> State {
    return State(a.n + b.n, a.a + b.a, a.b + b.b);
}

fn write(at: u32, i: u32, f: Frame, s: State) {
    partials[at] = vec4<f32>(s.a[i], s.b[i], s.n[i], 0.0);
}
