// SGD with momentum: buf = momentum·buf + fresh·g, or g at the first step, whatever the buffer held before.
fn direction(i: u32, g: vec4<f32>, alive: vec4<bool>) -> vec4<f32> {
    let old = momentum_buffer_load(i);
    let buf = select(params.momentum * old + params.fresh * g, g, params.first_step != 0u);
    momentum_buffer_store(i, select(old, buf, alive));
    return select(buf, g + params.momentum * buf, params.nesterov != 0u);
}
