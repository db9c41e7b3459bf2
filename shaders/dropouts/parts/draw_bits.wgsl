// The decisions of eight elements from a mask with a bit for each decision, whatever their numbers: see lib/philox/draw_any for
// periods, rows and columns. Needs the binding `mask: array<u32>` (read), whole.
fn draw(pair: u32) -> Kept {
    let at = params.start + 8u * (pair - params.pair);
    var period = at / (params.inner * params.rows);
    let rest = at % (params.inner * params.rows);
    var row = rest / params.inner;
    var column = rest % params.inner;
    var kept = 0u;
    for (var e = 0u; e < 8u; e++) {
        let d = params.draw_lo + period * params.per_period + row * params.per_row + column * params.per_column;
        // The last pair may reach past the tensor.
        kept |= ((mask[min(d >> 5u, arrayLength(&mask) - 1u)] >> (d & 31u)) & 1u) << e;
        column++;
        if column == params.inner { column = 0u; row++; }
        if row == params.rows { row = 0u; period++; }
    }
    let bit = vec4<u32>(1u, 2u, 4u, 8u);
    return Kept((vec4<u32>(kept) & bit) != vec4<u32>(0u), (vec4<u32>(kept >> 4u) & bit) != vec4<u32>(0u));
}
