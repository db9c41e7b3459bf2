// No average of the weights is kept.
fn note_average(i: u32, w: vec4<f32>, alive: vec4<bool>) {}
