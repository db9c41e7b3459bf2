// Adds a multiple of four entries of a product to a gradient whose rows are whole quads. Buffer: grad (updated).
fn keep_row(i: u32, j: u32, v: vec4<f32>) {
    if i >= params.rows { return; }
    let q = (i * params.cols + j) / 4u;
    grad_store(q, grad_load(q) + params.scale * v);
}
