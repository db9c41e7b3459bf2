// Four sums side by side.
alias Partial = vec4<f32>;
const NOTHING: Partial = vec4<f32>(0.0);
fn merge(a: Partial, b: Partial) -> Partial { return a + b; }
