// w = soft(w, own.y)·c with c = max(1 - own.x/‖soft(w)‖, 0) of its unit, own.x = t·λ·√d or t·λ, and own.y = t·λ1.
// NaN where c is NaN: the unit held what is not finite.
//!use lib/unitwise/map
//!use lib/arena/elastic
fn mapped(i: u32, w: vec4<f32>, c: vec4<f32>, own: vec4<f32>) -> vec4<f32> {
    let soft = elastic_prox(w, own.y, 1.0);
    return select(select(soft * c, soft, c == vec4<f32>(1.0)), vec4<f32>(0.0), c == vec4<f32>(0.0));
}
