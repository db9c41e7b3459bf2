// For norms/parts/sigma: the sum as it is.
fn sigma_of(all: vec4<f32>) -> f32 { return all.x; }
