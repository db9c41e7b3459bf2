// Squares of the values, and their magnitudes. For lib/unitwise/partials.
//!use lib/reduce/scaled_squares
fn visit(s: State, x: vec4<f32>, own: vec4<f32>) -> State {
    let q = with_squares(Squares(s.large, s.middle, s.small), x);
    return State(q.large, q.middle, q.small, s.plain + abs(x));
}
