// The mask goes out. Buffer: mask (written).
fn keep_mask(w: u32, kept: u32) { mask[w] = kept; }
