// The inverse of the loss scale comes from the host.
fn inverse_scale() -> f32 { return params.inverse; }
