// For lib/matmul/product: the Gram matrix of a weight's rows (ALONG: the sum runs along them) or of its columns. It is symmetric:
// tiles below the diagonal are copies of those above. Buffers: weight, gram (written; `quads` to a row, chunk behind chunk).
//!use penalties/parts/matrix_weight
override ALONG: bool = true;

fn side(k: u32, i: u32) -> mat4x4<f32> {
    if ALONG { return transpose(weight_block(i, k)); }
    return weight_block(k, i);
}

fn left(k: u32, i: u32) -> mat4x4<f32> { return side(k, i); }
fn right(k: u32, j: u32) -> mat4x4<f32> { return side(k, j); }
fn wanted(i: u32, j: u32) -> bool { return i <= j; }

fn put(chunk: u32, row: u32, quad: u32, v: vec4<f32>) {
    if row < params.rows { gram[(chunk * params.rows + row) * params.quads + quad] = v; }
}

fn put_tile(chunk: u32, i: u32, j: u32, t: mat4x4<f32>) {
    put(chunk, i, j / 4u, t[0]);
    put(chunk, i + 1u, j / 4u, t[1]);
    put(chunk, i + 2u, j / 4u, t[2]);
    put(chunk, i + 3u, j / 4u, t[3]);
}

fn keep(chunk: u32, i: u32, j: u32, t: mat4x4<f32>) {
    put_tile(chunk, i, j, t);
    if i < j { put_tile(chunk, j, i, transpose(t)); }
}
