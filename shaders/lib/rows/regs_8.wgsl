// A lane keeps up to 8 quads of its row in registers.
const HELD: u32 = 8u;
const ROOM: u32 = 8u;
