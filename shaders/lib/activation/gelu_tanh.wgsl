// u/2·(1 + tanh(t/2)) = u·sigmoid(t), t = 2·sqrt(2/pi)·(u + 0.044715·u^3).
//!use lib/activation/sigmoid
const STEEP: f32 = 1.5957691216057308;
const CUBIC: f32 = 0.044715;
fn act(u: vec4<f32>) -> vec4<f32> { return of_sigmoid(u, STEEP * (u * (1.0 + CUBIC * (u * u)))); }
fn act_slope(u: vec4<f32>) -> vec4<f32> {
    let square = CUBIC * (u * u);
    return of_sigmoid_slope(u, STEEP * (u * (1.0 + square)), STEEP * (1.0 + 3.0 * square));
}
