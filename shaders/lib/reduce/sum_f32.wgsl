// A sum of floats.
alias Partial = f32;
const NOTHING: Partial = 0.0;
fn merge(a: Partial, b: Partial) -> Partial { return a + b; }
