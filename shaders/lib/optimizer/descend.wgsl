// The rule of all optimizers that go along a direction: w = prox(w - (decay·w + rate·d)). Open: direction, which also
// updates the state of the `alive` elements of quad i.
fn updated(i: u32, w: vec4<f32>, g: vec4<f32>, group: vec4<f32>, prox: vec4<f32>, alive: vec4<bool>) -> vec4<f32> {
    let d = direction(i, g, alive);
    let decay = select(vec4<f32>(0.0), group.z * w, group.z != 0.0);
    let toward = select(vec4<f32>(0.0), group.w * d, group.w != 0.0);
    return elastic_prox(w - (decay + toward), prox.x, prox.y);
}
