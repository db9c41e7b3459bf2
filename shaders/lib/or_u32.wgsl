// Flags that any part may raise.
alias Partial = u32;
const NOTHING: Partial = 0u;
fn merge(a: Partial, b: Partial) -> Partial { return a | b; }
