// The normal numbers of a quad whose elements follow their numbers: `params.draw_lo, params.draw_hi` is the number of the first
// element of pair `params.pair`.
//!use dropouts/parts/draw_normals

fn noise(q: u32) -> vec4<f32> {
    return draw_normals(add_wide(vec2<u32>(params.draw_lo, params.draw_hi), 4u * (q - 2u * params.pair)));
}
