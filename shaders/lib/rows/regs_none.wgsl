// Rows stay in a cache: each pass loads again. For devices that have no registers to keep a row in.
const HELD: u32 = 0u;
const ROOM: u32 = 1u;
