// x + bias of the element's channel. Buffers: x, bias, plane: where in a sample the window starts, positions, channels.
fn next_place(at: vec2<u32>) -> vec2<u32> {
    if at.y + 1u < plane[1] { return vec2<u32>(at.x, at.y + 1u); }
    return vec2<u32>(select(at.x + 1u, 0u, at.x + 1u == plane[2]), 0u);
}
fn biased(i: u32) -> vec4<f32> {
    let place = plane[0] + 4u * i;
    let first = vec2<u32>(place / plane[1] % plane[2], place % plane[1]);
    let second = next_place(first);
    let third = next_place(second);
    let fourth = next_place(third);
    return x_load(i) + vec4<f32>(bias_at(first.x), bias_at(second.x), bias_at(third.x), bias_at(fourth.x));
}
