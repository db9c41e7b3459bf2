// Centered RMSprop: mean square less squared mean. Rounding can bring it below 0, which counts as 0; a NaN stays.
fn variance(i: u32, g: vec4<f32>, square: vec4<f32>, alive: vec4<bool>) -> vec4<f32> {
    let old = grad_avg_load(i);
    let mean = params.alpha * old + params.fresh * g;
    grad_avg_store(i, select(old, mean, alive));
    let v = square - mean * mean;
    let bits = bitcast<vec4<u32>>(v);
    let below = (bits >= vec4<u32>(0x80000000u)) & ((bits & vec4<u32>(0x7fffffffu)) <= vec4<u32>(0x7f800000u));
    return select(v, vec4<f32>(0.0), below);
}
