// What four places of a row are multiplied by: the weight, or 1 + weight. Buffer: weight.
override ONE_PLUS: bool = false;

fn weights(p: vec4<u32>) -> vec4<f32> {
    let w = vec4<f32>(weight_at(p.x), weight_at(p.y), weight_at(p.z), weight_at(p.w));
    return select(w, 1.0 + w, ONE_PLUS);
}
