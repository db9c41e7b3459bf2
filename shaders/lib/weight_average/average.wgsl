// The running average of w, of which the newest has the share `fresh`. In this form a constant stays what it is, whatever the
// rounding of `fresh`. With fresh = 1 what the average held before does not matter, with fresh = 0 w does not.
fn averaged(old: vec4<f32>, w: vec4<f32>, fresh: f32) -> vec4<f32> {
    let moved = old + fresh * (w - old);
    return select(select(moved, w, fresh == 1.0), old, fresh == 0.0);
}
