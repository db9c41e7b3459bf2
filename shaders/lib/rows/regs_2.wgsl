// A lane keeps up to 2 quads of its row in registers.
const HELD: u32 = 2u;
const ROOM: u32 = 2u;
