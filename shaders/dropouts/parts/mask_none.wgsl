// The mask is not kept: who needs it again draws it again.
fn note(unit: u32, word: u32) {}
