// For lib/channels/products_open: statistics belong to a channel of a virtual batch, of BATCH elements, or to PER neighbouring ones. A chunk
// lies in one batch.
override BATCH: u32 = 1u;
override PER: u32 = 1u;
fn line_of(e: u32, c: u32) -> u32 { return ((e + params.base) / BATCH * params.channels + c) / PER; }
