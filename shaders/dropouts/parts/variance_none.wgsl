// There are more passes to come.
fn report(i: u32, squares: vec4<f32>) {}
