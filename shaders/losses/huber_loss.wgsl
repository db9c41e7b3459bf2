// For losses/parts/pairwise_loss: a parabola, curve/2·d², up to the knee, and from there its tangent, slope·(|d| - knee/2).
fn value_of(d: vec4<f32>) -> vec4<f32> {
    let far = abs(d);
    let line = params.slope * (far - 0.5 * params.knee);
    return select(line, 0.5 * (params.curve * d) * d, far < vec4<f32>(params.knee));
}
fn slope_of(d: vec4<f32>) -> vec4<f32> {
    return select(params.slope * sign_of(d), params.curve * d, abs(d) < vec4<f32>(params.knee));
}
