// As norms/parts/near_elements. Buffer: dy.
fn dy_near(e: vec4<u32>) -> vec4<f32> {
    let i = min(e, vec4<u32>(params.end - 1u));
    return vec4<f32>(dy_at(i.x), dy_at(i.y), dy_at(i.z), dy_at(i.w));
}
