// Targets are classes. Buffer: target_class. A class's share of what all classes get by label smoothing, with its weight.
const CLASSES: bool = true;
override SMOOTHS: bool = false;
fn target_of(row: u32) -> u32 { return target_class[row]; }
fn shares(e: u32, c: vec4<u32>) -> vec4<f32> {
    if !SMOOTHS { return vec4<f32>(0.0); }
    return params.share * vec4<f32>(weight_of(c.x), weight_of(c.y), weight_of(c.z), weight_of(c.w));
}
