// The normal numbers of a quad, whatever the numbers of its elements: see lib/philox/draw_any for periods, rows and columns.
//!use lib/philox/normal
//!use lib/philox/philox

fn noise(q: u32) -> vec4<f32> {
    let at = params.start + 4u * (q - 2u * params.pair);
    var period = at / (params.inner * params.rows);
    let rest = at % (params.inner * params.rows);
    var row = rest / params.inner;
    var column = rest % params.inner;
    let first = vec2<u32>(params.draw_lo, params.draw_hi);
    var four = vec4<f32>(0.0);
    var held = vec2<u32>(0u);
    var z = vec4<f32>(0.0);
    for (var e = 0u; e < 4u; e++) {
        let d = add_wide(first, period * params.per_period + row * params.per_row + column * params.per_column);
        let call = vec2<u32>((d.x >> 2u) | (d.y << 30u), d.y >> 2u);
        // Neighbours often share a call.
        if e == 0u || any(call != held) {
            z = normals(philox_call(call));
            held = call;
        }
        four[e] = z[d.x & 3u];
        column++;
        if column == params.inner { column = 0u; row++; }
        if row == params.rows { row = 0u; period++; }
    }
    return four;
}
