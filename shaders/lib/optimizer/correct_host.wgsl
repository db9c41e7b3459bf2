// The host counts the steps, and knows the corrections of Adam's moments.
fn corrections() -> vec3<f32> { return vec3<f32>(params.correct1, params.correct2, params.eps_inside); }
