// Stores values of four neighbouring models, their number being a multiple of four. Buffer: out (written).
fn put_models(row: u32, j: u32, v: vec4<f32>) { out_store((row * params.cols + j) / 4u, v); }
