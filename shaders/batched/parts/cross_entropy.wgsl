// The loss of a row of logits z against shares t, Σ t·(ln Σ exp(z - max z) - (z - max z)), and its gradient, softmax(z) - t, both
// times the row's weight; right where both are largest in the same column. Sums of exponentials leave out the largest logit's own 1,
// which would hide the rest. A row with NaN or +inf among its logits, or with nothing but -inf, becomes NaN.
// Buffers: prediction, wanted (read), grad (written). Open name: live.
//!use lib/activation/ln_1p

// exp(-104) is 0 in f32.
const FAR: f32 = 104.0;

// Words that order as numbers do, both zeros being equal, on every device; NaN is 0.
fn order(v: vec4<f32>) -> vec4<u32> {
    let bits = bitcast<vec4<u32>>(v);
    let size = bits & vec4<u32>(0x7fffffffu);
    let half = vec4<u32>(0x80000000u);
    return select(select(half + size, half - size, bits >= half), vec4<u32>(0u), size > vec4<u32>(0x7f800000u));
}
const LEAST: u32 = 0x00800000u; // -inf
const MOST: u32 = 0xff800000u; // +inf

struct Best { order: u32, column: u32 }

// The first of equals; nothing that is NaN.
fn better(best: Best, o: vec4<u32>, q: u32) -> Best {
    var b = best;
    if o.x > b.order { b = Best(o.x, 4u * q); }
    if o.y > b.order { b = Best(o.y, 4u * q + 1u); }
    if o.z > b.order { b = Best(o.z, 4u * q + 2u); }
    if o.w > b.order { b = Best(o.w, 4u * q + 3u); }
    return b;
}

fn sum4(v: vec4<f32>) -> f32 { return (v.x + v.y) + (v.z + v.w); }

fn row_loss(start: u32, end: u32, weight: f32) -> vec2<f32> {
    var z = Best(0u, params.columns);
    var t = Best(0u, params.columns);
    var broken = false;
    for (var at = start; at < end; at++) {
        let q = at - start;
        let o = order(prediction_load(at));
        broken = broken || any((o == vec4<u32>(0u)) & live(q));
        z = better(z, select(vec4<u32>(0u), o, live(q)), q);
        t = better(t, select(vec4<u32>(0u), order(wanted_load(at)), live(q)), q);
    }
    if broken || z.order <= LEAST || z.order >= MOST {
        let nan = bitcast<f32>(params.nan);
        for (var at = start; at < end; at++) { grad_store(at, select(vec4<f32>(0.0), vec4<f32>(nan), live(at - start))); }
        return vec2<f32>(nan, 0.0);
    }
    let top = prediction_load(start + z.column / 4u)[z.column % 4u];
    var rest = 0.0;
    for (var at = start; at < end; at++) {
        let column = 4u * (at - start) + vec4<u32>(0u, 1u, 2u, 3u);
        let e = exp(max(prediction_load(at) - top, vec4<f32>(-FAR)));
        rest += sum4(select(vec4<f32>(0.0), e, live(at - start) & (column != vec4<u32>(z.column))));
    }
    let norm = ln_1p(rest);
    let inverse = 1.0 / (1.0 + rest);
    var loss = 0.0;
    for (var at = start; at < end; at++) {
        let d = prediction_load(at) - top;
        let want = wanted_load(at);
        // A class without a share adds nothing, however far its logit is off.
        let counts = live(at - start) & ((bitcast<vec4<u32>>(want) & vec4<u32>(0x7fffffffu)) != vec4<u32>(0u));
        loss += sum4(select(vec4<f32>(0.0), want * (norm - d), counts));
        let e = select(exp(max(d, vec4<f32>(-FAR))), vec4<f32>(1.0), d == vec4<f32>(0.0));
        grad_store(at, select(vec4<f32>(0.0), weight * (e * inverse - want), live(at - start)));
    }
    return vec2<f32>(weight * loss, select(0.0, weight, z.column == t.column));
}
