// Keeps four entries of a product in scratch, rows being whole quads there, for penalties/parts/matrix_add_rows. Buffer: gram, with the
// product from entry `product` on.
fn keep_row(i: u32, j: u32, v: vec4<f32>) {
    if i < params.rows { gram[params.product + i * ((params.cols + 3u) / 4u) + j / 4u] = v; }
}
