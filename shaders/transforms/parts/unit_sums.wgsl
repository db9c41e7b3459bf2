// Plain sums of the values. For lib/unitwise/partials.
fn visit(s: State, x: vec4<f32>, own: vec4<f32>) -> State {
    return State(s.large, s.middle, s.small, s.plain + x);
}
