// For lib/matmul/product: Xᵀ·R for the residuals R of a batch of models, a column each; chunk behind chunk where the rows of X are
// cut. Tiles are four columns of X by four models. Part: lib/linear_models/*. Buffers: x, models (R), out (written).
//!use linear/parts/matrix_models

fn left(k: u32, i: u32) -> mat4x4<f32> { return x_block(k, i); }

fn keep_row(chunk: u32, i: u32, j: u32, v: vec4<f32>) {
    if i < params.rows { put_models(chunk * params.rows + i, j, v); }
}

fn keep(chunk: u32, i: u32, j: u32, t: mat4x4<f32>) {
    keep_row(chunk, i, j, t[0]);
    keep_row(chunk, i + 1u, j, t[1]);
    keep_row(chunk, i + 2u, j, t[2]);
    keep_row(chunk, i + 3u, j, t[3]);
}
