// What four places of a row are multiplied by. Buffer: weight.

fn weights(p: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(weight_at(p.x), weight_at(p.y), weight_at(p.z), weight_at(p.w));
}
