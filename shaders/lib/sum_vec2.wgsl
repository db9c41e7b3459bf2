// Two sums side by side.
alias Partial = vec2<f32>;
const NOTHING: Partial = vec2<f32>(0.0);
fn merge(a: Partial, b: Partial) -> Partial { return a + b; }
