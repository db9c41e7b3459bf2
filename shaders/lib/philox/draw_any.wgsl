// The decisions of eight elements in a row, whatever their numbers. Memory is periods of `rows` rows of `inner` elements:
// element (period, row, column) has decision d + period * per_period + row * per_row + column * per_column; see src/kernels/philox.rs.
// `params.start` is where in its period the first element of pair `params.pair` lies. A decision has 16 bits as in
// lib/philox/draw_pairs (shift = 3), or 32 bits (shift = 2): word i & 3 of call i >> 2.
//!use lib/philox/philox

fn call_of(d: vec2<u32>) -> vec2<u32> {
    return vec2<u32>((d.x >> params.shift) | (d.y << (32u - params.shift)), d.y >> params.shift);
}

fn draw(pair: u32) -> Kept {
    let at = params.start + 8u * (pair - params.pair);
    var period = at / (params.inner * params.rows);
    let rest = at % (params.inner * params.rows);
    var row = rest / params.inner;
    var column = rest % params.inner;
    let first = vec2<u32>(params.draw_lo, params.draw_hi);
    var d = add_wide(first, period * params.per_period + row * params.per_row + column * params.per_column);
    var kept = 0u;
    var e = 0u;
    // A Philox call for each run of elements that share a call: one where a decision serves all eight, eight at most.
    loop {
        let call = call_of(d);
        let r = philox_call(call);
        loop {
            let word = r[d.x & 3u];
            let bits = select(word, (word >> (16u * ((d.x >> 2u) & 1u))) & 0xffffu, params.shift == 3u);
            // Columns that share the decision go in one step.
            let run = select(1u, min(8u - e, params.inner - column), params.per_column == 0u);
            kept |= select(0u, ((1u << run) - 1u) << e, bits <= params.last);
            e += run;
            column += run;
            if column == params.inner { column = 0u; row++; }
            if row == params.rows { row = 0u; period++; }
            d = add_wide(first, period * params.per_period + row * params.per_row + column * params.per_column);
            if e == 8u || any(call_of(d) != call) { break; }
        }
        if e == 8u { break; }
    }
    let bit = vec4<u32>(1u, 2u, 4u, 8u);
    return Kept((vec4<u32>(kept) & bit) != vec4<u32>(0u), (vec4<u32>(kept >> 4u) & bit) != vec4<u32>(0u));
}
