// The derivative of the activation where it was taken. Open: biased, act_slope.
fn slope_at(i: u32) -> vec4<f32> { return act_slope(biased(i)); }
