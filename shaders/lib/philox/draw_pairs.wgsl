// The decisions of eight elements in a row, where each has its own and the first one's number is a multiple of 8:
// one Philox call, 16 bits each. Decision i is half (i >> 2) & 1 of word i & 3 of call i >> 3.
// `params.draw_lo, params.draw_hi` is the call of pair 0.
//!use lib/philox/philox

fn draw(pair: u32) -> Kept {
    let r = philox_call(add_wide(vec2<u32>(params.draw_lo, params.draw_hi), pair));
    let last = vec4<u32>(params.last);
    return Kept((r & vec4<u32>(0xffffu)) <= last, (r >> vec4<u32>(16u)) <= last);
}
