// Boxes in images, for lib/samples/map. `step` is what a step along a row adds to a place: 1 channels first, else the channels.

// Which of these places lie in a box (top, left, bottom, right), the last two being the first row and column behind it.
fn inside(box: vec4<u32>, places: vec4<u32>) -> vec4<bool> {
    let s = places / params.step % params.positions;
    let row = s / params.width;
    let column = s % params.width;
    return (row >= vec4<u32>(box.x)) & (row < vec4<u32>(box.z)) & (column >= vec4<u32>(box.y)) & (column < vec4<u32>(box.w));
}
