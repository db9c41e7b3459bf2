// The mask stays in scratch.
fn keep_mask(w: u32, kept: u32) { work[params.mask_at + w] = kept; }
