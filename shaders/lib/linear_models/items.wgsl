// Stores values of up to four neighbouring models. Buffer: out (written).
fn put_models(row: u32, j: u32, v: vec4<f32>) {
    let e = row * params.cols + j;
    out_put(e, v.x);
    if j + 1u < params.cols { out_put(e + 1u, v.y); }
    if j + 2u < params.cols { out_put(e + 2u, v.z); }
    if j + 3u < params.cols { out_put(e + 3u, v.w); }
}
