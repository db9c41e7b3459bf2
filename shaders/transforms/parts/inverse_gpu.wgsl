// The inverse of the loss scale in the binding `scale`. A power of two has an exact inverse, of which a division may miss the
// last bit; and WGSL leaves open what a division by 0 gives: infinity here, with the sign of the 0.
fn inverse_scale() -> f32 {
    let s = scale_at(0u);
    let bits = bitcast<u32>(s);
    let sign = bits & 0x80000000u;
    let exponent = (bits >> 23u) & 0xffu;
    let power = (bits & 0x7fffffu) == 0u && exponent > 0u && exponent < 254u;
    let exact = bitcast<f32>(sign | ((254u - exponent) << 23u));
    let some = select(1.0 / s, exact, power);
    return select(some, bitcast<f32>(sign | 0x7f800000u), (bits & 0x7fffffffu) == 0u);
}
