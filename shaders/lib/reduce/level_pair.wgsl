// The last level: one entry per row, those from HALF on to another result.
override HALF: u32 = 0;
fn level_store(row: u32, first: u32, all: Partial) {
    if row < HALF { result[row] = all; } else { other[row - HALF] = all; }
}
