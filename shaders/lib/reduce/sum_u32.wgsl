// A count, modulo 2^32.
alias Partial = u32;
const NOTHING: Partial = 0u;
fn merge(a: Partial, b: Partial) -> Partial { return a + b; }
