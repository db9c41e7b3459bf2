// 1 / sqrt(variance + eps), 0 where nothing but 0 (or what a device may flush to 0) is under the root.
fn inverse_std(variance: f32, eps: f32) -> f32 {
    let v = variance + eps;
    let none = v >= 0.0 && v < 1.17549435e-38;
    return select(1.0 / sqrt(select(v, 1.0, none)), 0.0, none);
}
