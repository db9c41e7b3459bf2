// Four numbers of the standard normal distribution from four random words, by Box and Muller's transform of two pairs: words
// x and z give radii, y and w the angles; numbers x and y belong to the first pair, z and w to the second.
// WGSL promises nothing useful of log near 1 and of sin and cos near their zeros, so all three are made here of operations
// whose accuracy it does promise: each number is within 16 ulp of the exact one, as `Approx::normal` counts.

// sqrt(-2·ln(1 - k / 2^24)) for k < 2^24.
fn normal_radii(k: vec2<u32>) -> vec2<f32> {
    // 2^24 - k = m·2^e with m in (sqrt(1/2), sqrt(2)], exactly; ln(m) = 2·atanh(s).
    let bits = bitcast<vec2<u32>>(vec2<f32>(vec2<u32>(1u << 24u) - k));
    let mantissa = bitcast<vec2<f32>>((bits & vec2<u32>(0x7fffffu)) | vec2<u32>(0x3f800000u));
    let large = mantissa > vec2<f32>(1.4142135);
    let f = select(mantissa, 0.5 * mantissa, large) - 1.0;
    let s = f / (f + 2.0);
    // The series of atanh(s) / s: |s| <= 0.1716, so what is left out is below s^10 / 11 = 2e-9.
    let z = s * s;
    let series = 1.0 + z * (0.33333334 + z * (0.2 + z * (0.14285715 + z * 0.11111111)));
    // How often 1 was halved to get where m is: an integer from 0 to 24. 1.3862944 is 2·ln(2).
    let halvings = vec2<u32>(151u) - (bits >> vec2<u32>(23u)) - select(vec2<u32>(0u), vec2<u32>(1u), large);
    let square = 1.3862944 * vec2<f32>(halvings) - 4.0 * s * series;
    // WGSL takes the root by way of 1 / sqrt, which 0 has not.
    return select(sqrt(square), vec2<f32>(0.0), k == vec2<u32>(0u));
}

// (cos, cos, sin, sin) of the angles 2π·k / 2^24 for k < 2^24.
fn normal_angles(k: vec2<u32>) -> vec4<f32> {
    // The nearest quarter turn, and what remains: at most an eighth of a turn. Exact, being integers.
    let quarter = (k + vec2<u32>(1u << 21u)) >> vec2<u32>(22u);
    let rest = vec2<i32>(k) - vec2<i32>(quarter << vec2<u32>(22u));
    // 3.7450703e-7 is 2π / 2^24.
    let angle = vec2<f32>(rest) * 3.7450703e-7;
    // Taylor's series: what is left out is below 2.2e-9 of the sine, and 2.5e-8.
    let z = angle * angle;
    let s = angle * (1.0 - z * (0.16666667 - z * (8.3333333e-3 - z * (1.9841270e-4 - z * 2.7557319e-6))));
    let c = 1.0 - z * (0.5 - z * (4.1666667e-2 - z * (1.3888889e-3 - z * 2.4801587e-5)));
    let odd = (quarter & vec2<u32>(1u)) == vec2<u32>(1u);
    let x = select(c, s, odd);
    let y = select(s, c, odd);
    let left = ((quarter + vec2<u32>(1u)) & vec2<u32>(2u)) == vec2<u32>(2u);
    let below = (quarter & vec2<u32>(2u)) == vec2<u32>(2u);
    return vec4<f32>(select(x, -x, left), select(y, -y, below));
}

fn normals(words: vec4<u32>) -> vec4<f32> {
    let k = words >> vec4<u32>(8u);
    let at = normal_angles(k.yw);
    return normal_radii(k.xz).xxyy * at.xzyw;
}
