// dx = weight * rstd * g in the pass of the sums, for it does not depend on them. For lib/channels/products_open where planes, or rows of
// channels, are whole quads. Buffers: weight, dx.
fn weight_for(c: u32) -> f32 { return weight_at(c); }
fn emit(e: u32, scale: vec4<f32>, g: vec4<f32>) { dx_store(e / 4u, scale * g); }
