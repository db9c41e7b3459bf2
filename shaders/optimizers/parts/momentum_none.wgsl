// SGD without momentum: the step goes along the gradient.
fn direction(i: u32, g: vec4<f32>, alive: vec4<bool>) -> vec4<f32> { return g; }
