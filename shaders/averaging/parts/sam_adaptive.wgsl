// ASAM: large weights move farther, so that rescaling a layer changes nothing.
fn reach(i: u32) -> vec4<f32> { return abs(weight_load(i)) + params.eta; }
