// Squares of what the soft threshold own.y leaves of the values. For lib/unitwise/partials.
//!use lib/reduce/scaled_squares
//!use lib/arena/elastic
fn visit(s: State, x: vec4<f32>, own: vec4<f32>) -> State {
    let q = with_squares(Squares(s.large, s.middle, s.small), elastic_prox(x, own.y, 1.0));
    return State(q.large, q.middle, q.small, s.plain);
}
