// What becomes of an element that is kept, by the bits of the p of its model.

// Whether p is a number from 0 to 1: -0 is one, NaN is not.
fn is_probability(bits: u32) -> bool {
    return bits <= 0x3f800000u || bits == 0x80000000u;
}

// 1/(1-p) for p below 1, and exactly 1 for p = 0: a quotient may be off, even 1/1.
fn inverse_keep(p: f32) -> f32 {
    return select(1.0 / (1.0 - p), 1.0, p == 0.0);
}
