// For lib/matmul/product: a symmetric matrix of `inner` rows times a weight; or, ALONG the weight's rows, the weight times it.
// Buffers: weight, gram (the symmetric matrix, `quads` to a row). Another part says where tiles go: penalties/parts/matrix_add, penalties/parts/matrix_keep.
//!use penalties/parts/matrix_weight
override ALONG: bool = false;

fn gram_block(k: u32, i: u32) -> mat4x4<f32> {
    let at = min(vec4<u32>(k, k + 1u, k + 2u, k + 3u), vec4<u32>(params.inner - 1u)) * params.quads + i / 4u;
    return mat4x4<f32>(gram[at.x], gram[at.y], gram[at.z], gram[at.w]);
}

fn left(k: u32, i: u32) -> mat4x4<f32> {
    if ALONG { return transpose(weight_block(i, k)); }
    return gram_block(k, i);
}

fn right(k: u32, j: u32) -> mat4x4<f32> {
    if ALONG { return gram_block(k, j); }
    return weight_block(k, j);
}

fn wanted(i: u32, j: u32) -> bool { return true; }

fn keep(chunk: u32, i: u32, j: u32, t: mat4x4<f32>) {
    keep_row(i, j, t[0]);
    keep_row(i + 1u, j, t[1]);
    keep_row(i + 2u, j, t[2]);
    keep_row(i + 3u, j, t[3]);
}
