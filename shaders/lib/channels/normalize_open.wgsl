// y = act(((x - K) - (mean - K)) * a + b, added to a residual) with coefficients (K, mean - K, a, b). The mean is
// subtracted before the product, in two parts: where it is far larger than the spread, x * a + (b - mean * a) would cancel.
// Open: act (lib/activation/*), added (dropouts/parts/residual_*), shown (lib/channels/visible_*). Buffers: x, y, coefs.
fn transform(i: u32, c: Coefs, at: vec2<u32>) {
    y_store(i, shown(i, act(added(i, ((x_load(i) - c.a) - c.b) * c.c + c.d))));
}
