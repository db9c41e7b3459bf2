// How states of lib/channels/moments and norms/parts/moments_masked join and are written: count, mean - K and squared deviations. For
// lib/channels/reduce.
struct Frame { k: vec4<f32> }

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
