// RMSprop with momentum: the buffer gathers steps, not gradients. Nesterov goes on along the new buffer.
fn with_momentum(i: u32, d: vec4<f32>, alive: vec4<bool>) -> vec4<f32> {
    let old = momentum_buffer_load(i);
    let buf = params.momentum * old + d;
    momentum_buffer_store(i, select(old, buf, alive));
    return select(buf, d + params.momentum * buf, params.nesterov != 0u);
}
