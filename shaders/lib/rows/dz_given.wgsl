// Others read what was normalised, too: dz is what they send. For lib/rows/rows_backward.
fn received(q: u32, dx: vec4<f32>) -> vec4<f32> { return dx + dz_load(q); }
