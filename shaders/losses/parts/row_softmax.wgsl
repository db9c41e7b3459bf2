// What a row's softmax needs, in one pass over its logits: the largest of them, and sums of exponentials measured from it.
// Every sum has terms of one sign only, so none cancels: `rest` leaves out the largest logit's own 1, which would hide it.
// Merging is by Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018.
struct State {
    // The largest logit so far.
    top: f32,
    // Sum of exp(z - top) over all others. NOTHING_SEEN: there was none but -inf. BROKEN: there was NaN or +inf.
    rest: f32,
    // Sum of exp(z - top)·(top - z).
    spread: f32,
    // Sum of share·(top - z), and of the shares.
    cost: f32,
    mass: f32,
}

const NOTHING_SEEN: f32 = -1.0;
const BROKEN: f32 = -2.0;
// exp(-104) is 0 in f32, and no product with it overflows.
const FAR: f32 = 104.0;

fn nothing_seen() -> State { return State(0.0, NOTHING_SEEN, 0.0, 0.0, 0.0); }

fn sum4(v: vec4<f32>) -> f32 { return (v.x + v.y) + (v.z + v.w); }

// -inf, which masks a class.
fn closed(v: vec4<f32>) -> vec4<bool> { return bitcast<vec4<u32>>(v) == vec4<u32>(0xff800000u); }

// Four logits, of which some are there, with the shares of their classes.
fn state_of(v: vec4<f32>, share: vec4<f32>, live: vec4<bool>) -> State {
    let open = live & !closed(v);
    let special = (bitcast<vec4<u32>>(v) & vec4<u32>(0x7fffffffu)) >= vec4<u32>(0x7f800000u);
    if any(open & special) { return State(0.0, BROKEN, 0.0, 0.0, 0.0); }
    var s = nothing_seen();
    var e = vec4<f32>(0.0);
    if any(open) {
        let least = vec4<f32>(-3.4028234e38);
        let z = select(least, v, open);
        s.top = max(max(z.x, z.y), max(z.z, z.w));
        // Of several that are the largest, one is left out.
        let best = open & (z == vec4<f32>(s.top));
        let first = best & vec4<bool>(true, !best.x, !(best.x || best.y), !(best.x || best.y || best.z));
        let d = max(z - s.top, vec4<f32>(-FAR));
        e = select(vec4<f32>(0.0), exp(d), open & !first);
        s.rest = sum4(e);
        s.spread = -sum4(e * d);
    }
    let counted = live & (share != vec4<f32>(0.0));
    s.cost = sum4(select(vec4<f32>(0.0), share * (s.top - v), counted));
    s.mass = sum4(select(vec4<f32>(0.0), share, counted));
    return s;
}

fn joined(a: State, b: State) -> State {
    if a.rest == BROKEN || b.rest == BROKEN { return State(0.0, BROKEN, 0.0, 0.0, 0.0); }
    var s = a;
    var low = b;
    if a.rest == NOTHING_SEEN || (b.rest != NOTHING_SEEN && b.top > a.top) {
        s = b;
        low = a;
    }
    s.mass += low.mass;
    if low.rest == NOTHING_SEEN {
        s.cost += low.cost;
        return s;
    }
    let gap = s.top - low.top;
    let near = min(gap, FAR);
    let scale = select(exp(-near), 1.0, gap == 0.0);
    s.rest += scale * (1.0 + low.rest);
    s.spread += scale * (low.spread + near * (1.0 + low.rest));
    s.cost += low.cost + select(0.0, gap * low.mass, low.mass != 0.0);
    return s;
}
