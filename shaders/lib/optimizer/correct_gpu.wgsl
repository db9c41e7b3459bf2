// The GPU counts the steps: `lib/optimizer/count_step` left the corrections of Adam's moments behind the flag.
fn corrections() -> vec3<f32> {
    return vec3<f32>(bitcast<f32>(flag[2]), bitcast<f32>(flag[3]), bitcast<f32>(flag[4]));
}
