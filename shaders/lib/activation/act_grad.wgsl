// The gradient of v from dy, that of act(v). Where the activation is flat nothing goes through, NaN and infinities neither.
// Open: act_slope (lib/activation/*).
fn through(v: vec4<f32>, dy: vec4<f32>) -> vec4<f32> {
    let slope = act_slope(v);
    return select(dy * slope, vec4<f32>(0.0), slope == vec4<f32>(0.0));
}
