// u where it is above 0, params.other·u elsewhere; with 0 that is max(u, 0), also of -inf. NaN stays.
fn act(u: vec4<f32>) -> vec4<f32> {
    let below = select(params.other * u, vec4<f32>(0.0), vec4<bool>(params.other == 0.0));
    return select(u, below, u <= vec4<f32>(0.0));
}
fn act_slope(u: vec4<f32>) -> vec4<f32> { return select(vec4<f32>(1.0), vec4<f32>(params.other), u <= vec4<f32>(0.0)); }
