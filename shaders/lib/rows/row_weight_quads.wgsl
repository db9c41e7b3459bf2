// What four neighbouring places of a row are multiplied by: the weight, or 1 + weight. Buffer: weight (Quads).
override ONE_PLUS: bool = false;

fn weights_of(q: u32) -> vec4<f32> {
    let w = weight_load(q);
    return select(w, 1.0 + w, ONE_PLUS);
}
