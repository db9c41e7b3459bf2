// What lib/rows/row_forward is told: layer norm, RMS norm, weight norm, norms of groups of channels.
struct Params { rows: u32, quads: u32, first: u32, blocks: u32, block: u32, lanes: u32, turns: u32, base: u32,
                values: f32, eps: f32 }
