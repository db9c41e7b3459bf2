// Products of matrices: entry (i, j) is the sum over k of left(k, i)·right(k, j). A lane holds a tile of four by four entries in
// registers and asks for four k at a time, so that eight loads of four values serve 64 products; there is no barrier. Lanes of
// a workgroup lie ACROSS side by side, the rest below one another. Sums run over RUN steps before they join the total, which
// keeps chains of additions short; a long inner axis is cut into chunks, whose results lie one behind the other.
// Parts say what the factors are (left, right: four vectors, one for each k) and which tiles count (wanted), penalties/parts/matrix_gram,
// penalties/parts/matrix_deviation, linear/linear_residual, linear/linear_gradient, and where a tile goes (keep).
//!use lib/partition/grid

// Buffers: those of the parts.

override WG: u32 = 256;
override ACROSS: u32 = 16;
const RUN: u32 = 64u;

// Nothing where k is past the end: what lies there belongs to another row, and may be NaN.
fn within(t: mat4x4<f32>, k: u32) -> mat4x4<f32> {
    if k + 4u <= params.inner { return t; }
    let none = vec4<f32>(0.0);
    return mat4x4<f32>(t[0], select(none, t[1], k + 1u < params.inner), select(none, t[2], k + 2u < params.inner), none);
}

fn with_product(sum: mat4x4<f32>, a: vec4<f32>, b: vec4<f32>) -> mat4x4<f32> {
    return mat4x4<f32>(sum[0] + a.x * b, sum[1] + a.y * b, sum[2] + a.z * b, sum[3] + a.w * b);
}

@compute @workgroup_size(WG)
fn matrix_product(@builtin(workgroup_id) wid: vec3<u32>,
                  @builtin(num_workgroups) count: vec3<u32>,
                  @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    let i = 4u * (block / params.across % params.down * (WG / ACROSS) + lane / ACROSS);
    let j = 4u * (block % params.across * ACROSS + lane % ACROSS);
    if i >= params.rows || j >= params.cols || !wanted(i, j) { return; }
    let chunk = block / params.across / params.down;
    let end = min((chunk + 1u) * params.chunk, params.inner);
    var total = mat4x4<f32>();
    for (var run = chunk * params.chunk; run < end; run += 4u * RUN) {
        var sum = mat4x4<f32>();
        let stop = min(run + 4u * RUN, end);
        for (var k = run; k < stop; k += 4u) {
            let a = within(left(k, i), k);
            let b = within(right(k, j), k);
            sum = with_product(with_product(with_product(with_product(sum, a[0], b[0]), a[1], b[1]), a[2], b[2]), a[3], b[3]);
        }
        total = total + sum;
    }
    keep(chunk, i, j, total);
}
