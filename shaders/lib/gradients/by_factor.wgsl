// Numbers times the factor that clips them by their norm. A factor of 1 changes no bit. Needs params.zeroes: where a factor of 0
// stands for a norm that is not finite, NaN becomes 0 too.
fn by_factor(factor: f32, g: vec4<f32>) -> vec4<f32> {
    let product = select(factor * g, vec4<f32>(0.0), params.zeroes == 1u && factor == 0.0);
    return select(product, g, factor == 1.0);
}
