// The loss of a row, Σ (p - t)², and its gradient, 2·(p - t), both times the row's weight. Nothing counts as right.
// Buffers: prediction, wanted (read), grad (written). Open name: live.
fn row_loss(start: u32, end: u32, weight: f32) -> vec2<f32> {
    var loss = 0.0;
    for (var at = start; at < end; at++) {
        let d = select(vec4<f32>(0.0), prediction_load(at) - wanted_load(at), live(at - start));
        loss += (d.x * d.x + d.y * d.y) + (d.z * d.z + d.w * d.w);
        grad_store(at, select(vec4<f32>(0.0), weight * (2.0 * d), live(at - start)));
    }
    return vec2<f32>(weight * loss, 0.0);
}
