use crate::verify::reference::philox;

/// Pick `i` of set `s`, of rows 0 to `rows` - 1: ⌊word·rows / 2^32⌋ of the word with the number `first` + s·2^34 + i, four to a block.
pub fn bootstrap_indices(rows: u64, first: u64, seed: u64, stream: u32, step: u32, s: u64, i: u64) -> u32 {
    let number = first + (s << 34) + i;
    let block = number / 4;
    let words = philox([block as u32, (block >> 32) as u32, step, stream], [seed as u32, (seed >> 32) as u32]);
    ((u64::from(words[(number % 4) as usize]) * rows) >> 32) as u32
}
