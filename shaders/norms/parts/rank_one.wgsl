// (dy - a·v) / sigma with coefficients (a, sigma, unused, unused) of the row and an entry of v for the place in it; 0 where sigma
// is 0. Buffers: dy, dx (written), v, coefs.
fn transform(i: u32, c: Coefs, at: vec2<u32>) {
    let p = places(at);
    let v = vec4<f32>(v_at(p.x), v_at(p.y), v_at(p.z), v_at(p.w));
    let none = (bitcast<vec4<u32>>(c.b) & vec4<u32>(0x7fffffffu)) == vec4<u32>(0u);
    dx_store(i, select((dy_load(i) - c.a * v) / c.b, vec4<f32>(0.0), none));
}
