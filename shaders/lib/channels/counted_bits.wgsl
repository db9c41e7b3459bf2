// The values whose positions a mask keeps count. For lib/channels/reduce; buffer: mask.
//!use lib/channels/mask_bits
const SOME: bool = true;

// The position (n, s) of an element of the window.
fn position_of(e: u32) -> u32 {
    let g = e + params.base;
    if COLUMNS > 0u { return g / params.channels; }
    return g / (params.channels * params.inner) * params.inner + g % params.inner;
}

fn kept(e: u32, at: u32, live: vec4<bool>) -> vec4<bool> {
    // Four channels of one position, or four positions of one channel.
    if COLUMNS > 0u { return live & vec4<bool>(mask_bit(at)); }
    return live & mask_bits(position_of(e) + vec4<u32>(0u, 1u, 2u, 3u));
}
