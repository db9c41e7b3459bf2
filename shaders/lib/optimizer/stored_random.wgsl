// Weights rounded to one of the two bf16 numbers beside them, to the farther one as much more seldom as it is farther: 16
// random bits are added below the 16 that stay. What bf16 holds, zero and infinity included, stays: no carry. The bits of
// element e are those of dropout's decisions: half (e >> 2) & 1 of word e & 3 of Philox call e >> 3, so that a quad takes
// one half of each word of a call. `params.draw_lo, params.draw_hi` is the number of the arena's first quad.
//!use lib/philox/philox
fn as_stored(q: u32, w: vec4<f32>) -> vec4<f32> {
    let quad = add_wide(vec2<u32>(params.draw_lo, params.draw_hi), q);
    let r = philox_call(vec2<u32>((quad.x >> 1u) | (quad.y << 31u), quad.y >> 1u));
    let random = (r >> vec4<u32>(16u * (quad.x & 1u))) & vec4<u32>(0xffffu);
    let bits = bitcast<vec4<u32>>(w);
    // A NaN's payload could carry into infinity or zero.
    let nan = (bits & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u);
    let rounded = select(bits + random, bits | vec4<u32>(0x400000u), nan);
    return bitcast<vec4<f32>>(rounded & vec4<u32>(0xffff0000u));
}
