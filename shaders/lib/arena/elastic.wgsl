// The elastic net λ1·Σ|w| + λ2·Σw²: its gradient, and its proximal operator.

// λ1·sign(w) + slope·w, with slope = 2·λ2 or λ2 by convention. A term whose λ is 0 is absent, also where w is not finite.
// The sign is taken from the bits: a device that flushes subnormal numbers would see 0. sign(0) and sign(NaN) are 0.
fn elastic_gradient(w: vec4<f32>, l1: f32, slope: f32) -> vec4<f32> {
    let bits = bitcast<vec4<u32>>(w);
    let magnitude = bits & vec4<u32>(0x7fffffffu);
    let none = (magnitude == vec4<u32>(0u)) | (magnitude > vec4<u32>(0x7f800000u)) | vec4<bool>(l1 == 0.0);
    let lasso = bitcast<vec4<f32>>(vec4<u32>(bitcast<u32>(l1)) | (bits & vec4<u32>(0x80000000u)));
    return select(lasso, vec4<f32>(0.0), none) + select(vec4<f32>(0.0), slope * w, slope != 0.0);
}

// sign(w)·max(|w| - threshold, 0) / divisor, with threshold = t·λ1 and divisor = 1 + t·slope. Thresholds are compared as bits:
// magnitudes order as their bits do, and no device may flush or reorder that. NaN and infinities stay what they are.
fn elastic_prox(w: vec4<f32>, threshold: f32, divisor: f32) -> vec4<f32> {
    let bits = bitcast<vec4<u32>>(w);
    let magnitude = bits & vec4<u32>(0x7fffffffu);
    let rest = bitcast<vec4<f32>>(magnitude) - threshold;
    // A quotient may be off by 2.5 ulp even where the divisor is 1.
    let shrunk = bitcast<vec4<u32>>(select(rest / divisor, rest, divisor == 1.0)) & vec4<u32>(0x7fffffffu);
    // Not by `shrunk | (bits & 0x80000000u)`: of that, Mesa 26's llvmpipe makes a selection of bits with its operands exchanged.
    let signed = select(shrunk, shrunk ^ vec4<u32>(0x80000000u), bits >= vec4<u32>(0x80000000u));
    let kept = select(bits, signed, magnitude < vec4<u32>(0x7f800000u));
    return bitcast<vec4<f32>>(select(kept, vec4<u32>(0u), elastic_zeros(w, threshold)));
}

// Which weights the threshold sets to 0.
fn elastic_zeros(w: vec4<f32>, threshold: f32) -> vec4<bool> {
    return (bitcast<vec4<u32>>(w) & vec4<u32>(0x7fffffffu)) <= vec4<u32>(bitcast<u32>(threshold));
}
