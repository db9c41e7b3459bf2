// As lib/channels/moments, of the values that a mask keeps. What is masked may be anything, so K must be a value that is kept: the first
// of the chunk. Positions of a chunk follow one another, so that is the mask's first set bit from the chunk's start on.
// For lib/channels/reduce; buffers: x, mask.
//!use lib/channels/welford
//!use lib/channels/counted_bits

fn frame(some: vec3<u32>, channel: u32) -> Frame {
    var p = position_of(some.x);
    var end = position_of(some.z) + 1u;
    // The last quad of a plane may be no whole one.
    if COLUMNS == 0u { end = min(end + 3u, (end - 1u) / params.inner * params.inner + params.inner); }
    let last = end - 1u;
    while p < end {
        let word = mask[p >> 5u] >> (p & 31u);
        if word != 0u {
            p += firstTrailingBit(word);
            break;
        }
        p = (p | 31u) + 1u;
    }
    // Where none is kept, no value counts, and any K will do.
    p = min(p, last);
    if COLUMNS > 0u { return Frame(x_four(p * params.channels + channel - params.base)); }
    let e = (p / params.inner * params.channels + channel) * params.inner + p % params.inner - params.base;
    // x_four takes whole quads where planes are.
    let within = select(e & 3u, 0u, MASKED);
    let v = x_four(e - within);
    return Frame(vec4<f32>(v[within]));
}

fn visit(s: State, f: Frame, e: u32, at: u32, live: vec4<bool>, count: f32) -> State {
    let on = kept(e, at, live);
    let d = x_four(e) - f.k;
    let delta = d - s.a;
    let n = s.n + select(vec4<f32>(0.0), vec4<f32>(1.0), on);
    let mean = s.a + delta / max(n, vec4<f32>(1.0));
    return State(n, select(s.a, mean, on), select(s.b, s.b + delta * (d - mean), on));
}
