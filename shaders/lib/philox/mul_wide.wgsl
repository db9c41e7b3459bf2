// The 64-bit product of two words as (low, high), by 16-bit halves: WGSL has no wider type. No sum below overflows:
// (2^16-1)^2 + 2 * (2^16-1) = 2^32-1.
fn mul_wide(a: u32, b: u32) -> vec2<u32> {
    let a0 = a & 0xffffu;
    let a1 = a >> 16u;
    let b0 = b & 0xffffu;
    let b1 = b >> 16u;
    let low = a0 * b0;
    let up = a1 * b0 + (low >> 16u);
    let across = a0 * b1 + (up & 0xffffu);
    return vec2<u32>((across << 16u) | (low & 0xffffu), a1 * b1 + (up >> 16u) + (across >> 16u));
}
