// The branch is added to a residual, which stays as it is where the branch is dropped. Buffer: residual.
fn onto(i: u32, v: vec4<f32>, kept: vec4<bool>) -> vec4<f32> {
    let r = residual_load(i);
    return select(r, r + v, kept);
}
