// The denominators k + alpha * sum of x^2 over the neighbourhood of channels about each of four elements, and their powers. Neighbourhoods
// end where the channels do. Elements count from the window that is bound; `before` is how many channels lie before the middle.
// Open: x_near (norms/parts/near_*), inverse_power (norms/parts/power_*). Parameters: origin (the first element's number in its sample),
// channels, inner, size, before, k, alpha.

// The channels of the four elements from e on.
fn channels_from(e: u32) -> vec4<u32> {
    return (params.origin + e + vec4<u32>(0u, 1u, 2u, 3u)) / params.inner % params.channels;
}

// Which of the channels that are `by` less `back` further exist.
fn exists(c: vec4<u32>, by: u32, back: u32) -> vec4<bool> {
    return (c + by >= vec4<u32>(back)) & (c + by < vec4<u32>(params.channels + back));
}

fn denominators(e: vec4<u32>, c: vec4<u32>) -> vec4<f32> {
    var sum = vec4<f32>(0.0);
    for (var j = 0u; j < params.size; j++) {
        let there = exists(c, j, params.before);
        let x = x_near(select(e, e + j * params.inner - params.before * params.inner, there));
        sum += select(vec4<f32>(0.0), x * x, there);
    }
    return params.k + params.alpha * sum;
}

// A denominator, or 1 where it is 0 or not finite: for what may not be divided by it.
fn divisors(d: vec4<f32>) -> vec4<f32> {
    let size = bitcast<vec4<u32>>(d) & vec4<u32>(0x7fffffffu);
    return select(vec4<f32>(1.0), d, (size >= vec4<u32>(0x00800000u)) & (size < vec4<u32>(0x7f800000u)));
}

// d^-beta; 0 where d is 0, NaN where it is not finite.
fn responses(d: vec4<f32>) -> vec4<f32> {
    let bits = bitcast<vec4<u32>>(d);
    let size = bits & vec4<u32>(0x7fffffffu);
    let p = select(inverse_power(divisors(d)), vec4<f32>(0.0), size < vec4<u32>(0x00800000u));
    return select(p, bitcast<vec4<f32>>(bits | vec4<u32>(0x7fc00000u)), size >= vec4<u32>(0x7f800000u));
}
