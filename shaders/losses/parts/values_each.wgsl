// Every value is kept. Buffer: loss (Quads or Ragged).
fn keep_values(q: u32, v: vec4<f32>) { loss_store(q, v); }
fn keep_block(block: u32, sum: f32) {}
