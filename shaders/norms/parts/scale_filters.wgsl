// w = v * (1 / norm) * g with coefficients (1 / norm, g, unused, unused) of the filter. In this order: the first product is at most
// 1, while g / norm could leave the range of f32 for a w within it. Buffers: v, w, coefs.
fn transform(i: u32, c: Coefs, at: vec2<u32>) {
    w_store(i, v_load(i) * c.a * c.b);
}
