// g -= mean of its unit. Before it: lib/unitwise/partials with transforms/parts/unit_sums, and transforms/parts/unit_mean.
//!use lib/unitwise/map
fn mapped(i: u32, g: vec4<f32>, mean: vec4<f32>, own: vec4<f32>) -> vec4<f32> {
    return g - mean;
}
