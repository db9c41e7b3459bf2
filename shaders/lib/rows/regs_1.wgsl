// A lane keeps up to 1 quad of its row in registers.
const HELD: u32 = 1u;
const ROOM: u32 = 1u;
