// ReLU, and leaky ReLU: v where v > 0, slope * v elsewhere. SLOPE holds the slope's bits; with slope 0 what is not positive
// becomes 0 and takes no part, so no product meets an infinity. By the bits a NaN is positive: it stays, and so does its
// gradient.
override SLOPE: u32 = 0u;

fn sloped(v: vec4<f32>) -> vec4<f32> {
    let bits = SLOPE;
    return select(bitcast<f32>(bits) * v, vec4<f32>(0.0), bits == 0u);
}

fn positive(v: vec4<f32>) -> vec4<bool> {
    let bits = bitcast<vec4<u32>>(v);
    let size = bits & vec4<u32>(0x7fffffffu);
    return (size > vec4<u32>(0x7f800000u)) | ((bits == size) & (size > vec4<u32>(0u)));
}

fn activated(v: vec4<f32>) -> vec4<f32> { return select(sloped(v), v, positive(v)); }

// The gradient of v from that of what became of it; v may also be that result, whose sign is the same.
fn through(v: vec4<f32>, dy: vec4<f32>) -> vec4<f32> { return select(sloped(dy), dy, positive(v)); }
