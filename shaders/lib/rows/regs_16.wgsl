// A lane keeps up to 16 quads of its row in registers.
const HELD: u32 = 16u;
const ROOM: u32 = 16u;
