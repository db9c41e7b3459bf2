// The last pass: the variance of each element. Buffer: variance (written).
fn report(i: u32, squares: vec4<f32>) { variance_store(i, squares * params.inverse); }
