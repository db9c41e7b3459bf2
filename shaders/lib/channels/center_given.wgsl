// What is taken from a value before it is scaled: the mean that the forward pass saved. Buffer: mean.
fn mean_of(i: u32) -> f32 { return mean_at(i); }
