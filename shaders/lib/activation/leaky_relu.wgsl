// ReLU, and leaky ReLU: u where u > 0, slope * u elsewhere. SLOPE holds the slope's bits; with slope 0 what is not positive
// becomes 0 and takes no part, so no product meets an infinity. By the bits a NaN is positive: it stays, and so does its
// gradient.
override SLOPE: u32 = 0u;

fn positive(u: vec4<f32>) -> vec4<bool> {
    let bits = bitcast<vec4<u32>>(u);
    let size = bits & vec4<u32>(0x7fffffffu);
    return (size > vec4<u32>(0x7f800000u)) | ((bits == size) & (size > vec4<u32>(0u)));
}

fn act(u: vec4<f32>) -> vec4<f32> {
    let bits = SLOPE;
    return select(select(bitcast<f32>(bits) * u, vec4<f32>(0.0), bits == 0u), u, positive(u));
}
fn act_slope(u: vec4<f32>) -> vec4<f32> {
    let bits = SLOPE;
    return select(vec4<f32>(bitcast<f32>(bits)), vec4<f32>(1.0), positive(u));
}
