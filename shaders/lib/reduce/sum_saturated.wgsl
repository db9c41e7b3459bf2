// A count that stays at 2^32 - 1 once it is there: what was counted never looks like nothing.
alias Partial = u32;
const NOTHING: Partial = 0u;
fn merge(a: Partial, b: Partial) -> Partial { return a + min(b, ~a); }
