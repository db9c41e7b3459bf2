// Four rows of a weight of `height` by `width`, four values of each. What is past the last row repeats it; what is past the end
// of a row is anything. Buffer: weight.
fn weight_block(r: u32, c: u32) -> mat4x4<f32> {
    let at = min(vec4<u32>(r, r + 1u, r + 2u, r + 3u), vec4<u32>(params.height - 1u)) * params.width + c;
    return mat4x4<f32>(weight_four(at.x), weight_four(at.y), weight_four(at.z), weight_four(at.w));
}
