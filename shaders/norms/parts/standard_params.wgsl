// What lib/rows/rows_forward is told for norms/parts/row_standard.
struct Params { rows: u32, quads: u32, first: u32, blocks: u32, block: u32, lanes: u32, turns: u32, base: u32,
                divisor: f32, fan: f32, inside: f32, outside: f32, least: f32, form: u32 }
