// Values are added: a partial for each block. Buffer: partial_sums.
fn keep_values(q: u32, v: vec4<f32>) {}
fn keep_block(block: u32, sum: f32) { partial_sums[params.partial + block] = sum; }
