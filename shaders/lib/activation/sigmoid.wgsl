// 1 / (1 + exp(-t)), and what hangs on its ends: beyond 87, exp(-t) would leave f32.
const MOST: f32 = 87.0;
fn sigmoid(t: vec4<f32>) -> vec4<f32> {
    return 1.0 / (1.0 + exp(-clamp(t, vec4<f32>(-MOST), vec4<f32>(MOST))));
}

// u·sigmoid(t), 0 where t is so low that u does not matter.
fn of_sigmoid(u: vec4<f32>, t: vec4<f32>) -> vec4<f32> {
    return select(u * sigmoid(t), vec4<f32>(0.0), t < vec4<f32>(-MOST));
}

// Its derivative by u, `rise` being that of t.
fn of_sigmoid_slope(u: vec4<f32>, t: vec4<f32>, rise: vec4<f32>) -> vec4<f32> {
    let s = sigmoid(t);
    let slope = select(s * (1.0 + u * (1.0 - s) * rise), vec4<f32>(1.0), t > vec4<f32>(MOST));
    return select(slope, vec4<f32>(0.0), t < vec4<f32>(-MOST));
}
