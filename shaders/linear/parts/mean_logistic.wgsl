// What a logistic model expects where the linear predictor is z. NaN, told by its bits, stays NaN: a clamp may lose it.
//!use lib/activation/sigmoid
fn model_mean(z: vec4<f32>) -> vec4<f32> {
    let lost = (bitcast<vec4<u32>>(z) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u);
    return select(sigmoid(z), z, lost);
}
