// Losses are added: a partial for each block. Buffer: partials.
fn keep_loss(i: u32, value: f32) {}
fn keep_block(block: u32, sum: f32) { partials[params.partial + block] = sum; }
