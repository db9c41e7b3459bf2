// The sums of a channel in a sample, dy and dy * xhat, are left for the gradients of weight and bias. For lib/channels/line_backward;
// buffer: partials.
fn leave(at: u32, sums: vec2<f32>) { partials[at] = vec4<f32>(sums, 0.0, 0.0); }
