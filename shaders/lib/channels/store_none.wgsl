// Only the sums are wanted. For lib/channels/products_open.
fn weight_for(c: u32) -> f32 { return 0.0; }
fn emit(e: u32, scale: vec4<f32>, g: vec4<f32>) {}
