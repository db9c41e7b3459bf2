// One bit per position (n, s), in the order of n * S + s: bit p % 32 of word p / 32. Buffer: mask.
fn mask_bit(p: u32) -> bool {
    return ((mask[min(p >> 5u, arrayLength(&mask) - 1u)] >> (p & 31u)) & 1u) == 1u;
}

fn mask_bits(p: vec4<u32>) -> vec4<bool> {
    return vec4<bool>(mask_bit(p.x), mask_bit(p.y), mask_bit(p.z), mask_bit(p.w));
}
