// The gradient scale is also read from the GPU: the binding `scale`, one element.
fn gpu_scale() -> f32 { return scale_at(0u); }
