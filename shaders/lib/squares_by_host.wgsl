// Sums of squares that neither overflow nor vanish, whatever the numbers: those below 2^-46 are multiplied by params.up = 2^76
// before, those from 2^46 on by params.down = 2^-90, so that every square is a normal number, and 2^34 of them have a sum. The
// factors come from the host: a compiler that knew them might multiply them with each other first, to infinity or 0.
struct Squares { small: vec4<f32>, middle: vec4<f32>, large: vec4<f32> }

fn add_squares(sums: Squares, t: vec4<f32>, alive: vec4<bool>) -> Squares {
    let magnitude = bitcast<vec4<u32>>(t) & vec4<u32>(0x7fffffffu);
    let small = magnitude < vec4<u32>(0x28800000u);
    // NaN and infinity are large.
    let large = magnitude >= vec4<u32>(0x56800000u);
    let none = vec4<f32>(0.0);
    let up = t * params.up;
    let down = t * params.down;
    return Squares(sums.small + select(none, up * up, alive & small),
                   sums.middle + select(none, t * t, alive & !(small | large)),
                   sums.large + select(none, down * down, alive & large));
}

fn across(v: vec4<f32>) -> f32 { return (v.x + v.y) + (v.z + v.w); }

// The three sums, for lib/sum_vec4.
fn gathered(sums: Squares) -> vec4<f32> {
    return vec4<f32>(across(sums.small), across(sums.middle), across(sums.large), 0.0);
}

// What all numbers are to be multiplied with, and the norm of the products. Both parts of a root are in reach of each other's
// squares. Whether there is anything large is asked of the bits, so that a NaN is seen.
fn scaled_norm(sums: vec4<f32>) -> vec2<f32> {
    let some = (bitcast<vec4<u32>>(sums) & vec4<u32>(0x7fffffffu)) != vec4<u32>(0u);
    if some.z {
        let rest = sqrt(sums.y) * params.down;
        return vec2<f32>(params.down, sqrt(sums.z + rest * rest));
    }
    if some.y {
        let rest = sqrt(sums.x) / params.up;
        return vec2<f32>(1.0, sqrt(sums.y + rest * rest));
    }
    return vec2<f32>(params.up, sqrt(sums.x));
}
