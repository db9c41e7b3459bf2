// Targets are a probability for each class, f32. Buffer: shares_of (Four). A class's share after label smoothing, with its weight.
const CLASSES: bool = false;
const SMOOTHS: bool = true;
fn target_of(row: u32) -> u32 { return 0u; }
fn shares(e: u32, c: vec4<u32>) -> vec4<f32> {
    let weights = vec4<f32>(weight_of(c.x), weight_of(c.y), weight_of(c.z), weight_of(c.w));
    return weights * (params.keep * shares_of_four(e) + params.share);
}
