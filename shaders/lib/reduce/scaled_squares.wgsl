// A sum of squares that neither overflows nor underflows, whatever f32 the numbers are: three sums, of large, middle and small
// numbers, the large and small ones scaled by powers of two (Blue, "A portable Fortran program to find the Euclidean norm of
// a vector", 1978). In the scale of its sum a number is at most 2^44, so 2^34 squares stay below 2^122; the smallest normal
// number is 2^-42 there. The thresholds 2^40 and 2^-40 are compared as bits, NaN and infinities being large.

struct Squares { large: vec4<f32>, middle: vec4<f32>, small: vec4<f32> }

const LARGE: u32 = 0x53800000u;
const SMALL: u32 = 0x2b800000u;

fn with_squares(s: Squares, x: vec4<f32>) -> Squares {
    let m = bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu);
    let large = m >= vec4<u32>(LARGE);
    let small = m < vec4<u32>(SMALL);
    let none = vec4<f32>(0.0);
    let l = select(none, x * 0x1p-84f, large);
    let o = select(x, none, large | small);
    let t = select(none, x * 0x1p84f, small);
    return Squares(s.large + l * l, s.middle + o * o, s.small + t * t);
}

// The four lanes of each as one partial.
fn partial_of(s: Squares) -> vec4<f32> {
    return vec4<f32>((s.large.x + s.large.y) + (s.large.z + s.large.w), (s.middle.x + s.middle.y) + (s.middle.z + s.middle.w),
                     (s.small.x + s.small.y) + (s.small.z + s.small.w), 0.0);
}

// x·2^-168, or 0 below the normal numbers. A product would need two factors, and a compiler may make one of them, 0.
fn scaled_down(x: f32) -> f32 {
    let bits = bitcast<u32>(x);
    return bitcast<f32>(select(0u, bits - (168u << 23u), bits >= (169u << 23u)));
}

// WGSL takes the root by way of 1 / sqrt, which neither 0 nor an infinity has.
fn root_of(x: f32) -> f32 {
    let bits = bitcast<u32>(x) & 0x7fffffffu;
    return select(sqrt(x), x, bits == 0u || bits >= 0x7f800000u);
}

// The root of x·2^168 + y + z·2^-168, as what all numbers are to be multiplied with, the norm of the products, and what brings it
// back. Where a sum is not 0, what two scales below it holds is lost in its rounding.
fn scaled_norm(s: vec4<f32>) -> vec3<f32> {
    let there = (bitcast<vec4<u32>>(s) & vec4<u32>(0x7fffffffu)) != vec4<u32>(0u);
    let large = vec3<f32>(0x1p-84f, root_of(s.x + scaled_down(s.y)), 0x1p84f);
    let middle = vec3<f32>(1.0, root_of(s.y + scaled_down(s.z)), 1.0);
    let small = vec3<f32>(0x1p84f, root_of(s.z), 0x1p-84f);
    return select(select(small, middle, there.y), large, there.x);
}

// The norm itself, infinite where f32 ends.
fn norm_of(s: vec4<f32>) -> f32 {
    let n = scaled_norm(s);
    return n.y * n.z;
}
