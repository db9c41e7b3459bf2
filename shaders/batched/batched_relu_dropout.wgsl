// y = max(x, 0)·keep/(1 - p) for models side by side, each with a p of its own: rows of `models` rows of `quads` quads. All models
// draw the same numbers, so that a mask depends on p, the row and the unit alone. A lane draws four words, for a quad of units, and
// serves `each` models with them. A model whose p is no probability becomes NaN.
//!use lib/partition/grid
//!use lib/philox/philox
//!use batched/parts/inverse_keep

// Buffers: x (read), p: array<u32> (read), y (written).

override WG: u32 = 64;

// By the bits, so that NaN stays what it is.
fn rectified(x: vec4<f32>) -> vec4<f32> {
    let bits = bitcast<vec4<u32>>(x);
    let nan = (bits & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u);
    return select(vec4<f32>(0.0), x, (bits < vec4<u32>(0x80000000u)) | nan);
}

// Which of four random words keep their element: those below T = round(2^32·(1-p)).
fn kept(words: vec4<u32>, p: f32) -> vec4<bool> {
    // Exact, as is the difference below: 2^32·(1-p) is 2^32 - whole - part.
    let scaled = p * 4294967296.0;
    let whole = u32(min(scaled, 4294967040.0));
    let part = scaled - f32(whole);
    // T - 1. Half of one rounds up; 1 - p in f64, which defines T, has lost what is below 2^-22 of a unit.
    let last = 0xffffffffu - whole - select(0u, 1u, part > 0.50000024);
    return (words <= vec4<u32>(last)) & vec4<bool>(p < 1.0);
}

@compute @workgroup_size(WG)
fn batched_relu_dropout(@builtin(workgroup_id) wid: vec3<u32>,
                        @builtin(num_workgroups) count: vec3<u32>,
                        @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = block * WG + lane_of(index, WG);
    if lane >= params.lanes { return; }
    let place = lane % params.places;
    let first = lane / params.places * params.each;
    let start = place / params.quads * params.models;
    let q = place % params.quads;
    let end = (start + min(first + params.each, params.models)) * params.quads + q;
    var words = vec4<u32>(0u);
    if params.training != 0u { words = philox_call(add_wide(vec2<u32>(params.draw_lo, params.draw_hi), place)); }
    var model = first;
    // Counted in places that differ from lane to lane: Mesa compiles a kernel anew at every dispatch if the parameters alone
    // say that a loop is short, in order to unroll it.
    for (var at = (start + first) * params.quads + q; at < end; at += params.quads) {
        var v = rectified(x_load(at));
        if params.training != 0u {
            let bits = p[model];
            let drop = bitcast<f32>(bits);
            v = select(vec4<f32>(0.0), v * inverse_keep(drop), kept(words, drop));
            v = select(v, vec4<f32>(bitcast<f32>(params.nan)), !is_probability(bits));
        }
        y_store(at, v);
        model++;
    }
}
