// Each class has a weight. Buffer: class_weight.
fn weight_of(c: u32) -> f32 { return class_weight_at(c); }
