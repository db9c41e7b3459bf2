// A lane keeps up to 4 quads of its row in registers.
const HELD: u32 = 4u;
const ROOM: u32 = 4u;
