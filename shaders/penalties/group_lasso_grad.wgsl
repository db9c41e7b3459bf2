// g += own.x·w/‖w‖ + own.y·sign(w), with own.x = λ·√d or λ, and own.y = λ1. No part of a unit is longer than the unit, so w/‖w‖ is
// held to 1, whatever a device makes of norms below the normal numbers; it is 0 where the norm is 0. A NaN stays.
//!use lib/unitwise/map
//!use lib/arena/elastic
fn mapped(i: u32, g: vec4<f32>, norm: vec4<f32>, own: vec4<f32>) -> vec4<f32> {
    let w = weight_load(i);
    let bits = bitcast<vec4<u32>>(norm) & vec4<u32>(0x7fffffffu);
    let share = clamp(w / norm, vec4<f32>(-1.0), vec4<f32>(1.0));
    let zero = select(share, vec4<f32>(0.0), bits == vec4<u32>(0u));
    let unit = select(zero, norm, bits > vec4<u32>(0x7f800000u));
    return g + (select(vec4<f32>(0.0), own.x * unit, own.x != 0.0) + elastic_gradient(w, own.y, 0.0));
}
