// d^-3/4, without a logarithm.
fn inverse_power(d: vec4<f32>) -> vec4<f32> {
    let r = inverseSqrt(d);
    return r * sqrt(r);
}
