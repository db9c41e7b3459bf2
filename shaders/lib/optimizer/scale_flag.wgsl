// The gradient scale that `lib/optimizer/skip_begin` read, beside the flag: a binding less.
fn gpu_scale() -> f32 { return bitcast<f32>(flag[1]); }
