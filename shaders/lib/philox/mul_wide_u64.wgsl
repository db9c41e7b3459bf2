// The 64-bit product of two words as (low, high), where the device has 64-bit integers: a third of the instructions of
// lib/philox/mul_wide, the same result.
fn mul_wide(a: u32, b: u32) -> vec2<u32> {
    let product = u64(a) * u64(b);
    return vec2<u32>(u32(product), u32(product >> 32u));
}
