// g -= mean of its unit. Before it: lib/unit_partials with lib/unit_sums, and lib/unit_mean.
//!use lib/unit_map
fn mapped(i: u32, g: vec4<f32>, mean: vec4<f32>, own: vec4<f32>) -> vec4<f32> {
    return g - mean;
}
