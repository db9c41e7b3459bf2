// For lib/channels/products: the gradient of the output is that of the normalised value. Buffer: dy.
fn gradient(e: u32, at: u32) -> vec4<f32> { return dy_four(e); }
