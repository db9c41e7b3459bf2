// Four elements somewhere near, each for itself; from params.end on, any. Buffer: x.
fn x_near(e: vec4<u32>) -> vec4<f32> {
    let i = min(e, vec4<u32>(params.end - 1u));
    return vec4<f32>(x_at(i.x), x_at(i.y), x_at(i.z), x_at(i.w));
}
