// Softmax cross-entropy of rows of logits: each row's loss, and the gradient with respect to its logits, in one pass.
// A workgroup per block of `block` rows. `lanes` lanes share a row, WG / lanes rows are done at once, `turns` times. A block is
// whole quads of the tensor even where a row is not, so gradients are written in quads: once all rows of the block are
// known, lanes walk the block side by side.
// Open: fetch, four (logits_held, logits_streamed), CLASSES, SMOOTHS, target_of, shares (target_classes, target_shares),
// weight_of, scale_of, keep_loss, keep_block, gradient_store and GRADIENT (gradient_kept, gradient_none).
//!use lib/partition/grid
//!use lib/reduce/sum_f32
//!use lib/reduce/workgroup
//!use lib/activation/ln_1p
//!use losses/parts/row_softmax

// Buffers: logits; those of the parts.

override WG: u32 = 256;
// The most rows of a block.
override ROWS: u32 = 128;
// Whether a quad lies in one row.
override WHOLE: bool = false;

// What the gradient of a row needs: exp(z - top)·(a + b·(z - top)) - c·share, less `own` for the target.
struct Row { top: f32, a: f32, b: f32, c: f32, own: f32, wanted: u32, fate: u32 }
const LIVE: u32 = 0u;
const IGNORED: u32 = 1u;
const LOST: u32 = 2u;

var<workgroup> states: array<State, WG>;
var<workgroup> rows: array<Row, ROWS>;

// Lin, Goyal, Girshick, He and Dollár, "Focal loss for dense object detection", 2017: u^gamma for the probability u of all
// other classes, and what the gradient of u^gamma·nll has in place of that of nll.
fn focal(u: f32, right: f32, nll: f32) -> vec2<f32> {
    if u <= 0.0 { return vec2<f32>(0.0); }
    let far = select(1.0, exp(max(params.gamma * log(min(u, 1.0)), -FAR)), u < 1.0);
    // nll / u is near 1 where u is small; where the class is impossible, nll is infinite and `right` is 0.
    let more = select(0.0, params.gamma * right * (nll / u), right > 0.0);
    return vec2<f32>(far, far * (1.0 + more));
}

// The loss of a row. Leaves what its gradient needs in `slot`.
fn settle(row: u32, slot: u32, first: u32, s: State) -> f32 {
    let nan = bitcast<f32>(params.nan);
    let wanted = target_of(row);
    if CLASSES && params.ignores == 1u && wanted == params.ignored {
        rows[slot] = Row(0.0, 0.0, 0.0, 0.0, 0.0, 0u, IGNORED);
        return 0.0;
    }
    if s.rest < 0.0 || (CLASSES && wanted >= params.classes) {
        rows[slot] = Row(0.0, 0.0, 0.0, 0.0, 0.0, 0u, LOST);
        return nan;
    }
    let more = ln_1p(s.rest);
    let inverse = 1.0 / (1.0 + s.rest);
    var cost = s.cost + select(0.0, s.mass * more, s.mass != 0.0);
    var mass = s.mass;
    var weight = 1.0;
    var own = 0.0;
    var factors = vec2<f32>(1.0);
    if CLASSES {
        weight = weight_of(wanted);
        own = params.keep * weight;
        let e = slot * params.classes + wanted;
        let z = four(first, e & 0xfffffffcu)[e & 3u];
        let gap = s.top - z;
        let nll = gap + more;
        cost += select(0.0, own * nll, own != 0.0);
        mass += own;
        if params.gamma != 0.0 {
            let share = select(exp(-min(gap, FAR)), 1.0, gap == 0.0);
            let others = select((1.0 + s.rest) - share, s.rest, gap == 0.0);
            factors = focal(others * inverse, select(0.0, share * inverse, gap < FAR), nll);
            cost = select(0.0, factors.x * cost, factors.x > 0.0);
        }
    }
    var linear = factors.y * mass;
    var slope = 0.0;
    if params.z_loss != 0.0 {
        let log_sum = s.top + more;
        cost += weight * (params.z_loss * log_sum * log_sum);
        linear += weight * (2.0 * params.z_loss * log_sum);
    }
    if params.confidence != 0.0 {
        let distance = s.spread * inverse;
        cost -= weight * (params.confidence * (more + distance));
        linear += weight * (params.confidence * distance);
        slope = weight * params.confidence;
    }
    let g = scale_of() * params.grad_scale;
    rows[slot] = Row(s.top, g * linear * inverse, g * slope * inverse, g * factors.y, g * factors.y * own, wanted, LIVE);
    return cost;
}

fn gradient(at: vec4<u32>, c: vec4<u32>, v: vec4<f32>, e: u32) -> vec4<f32> {
    let r0 = rows[at.x];
    var r1 = r0;
    var r2 = r0;
    var r3 = r0;
    // Most quads of long rows lie in one, also where not all do.
    if !WHOLE && at.w != at.x {
        r1 = rows[at.y];
        r2 = rows[at.z];
        r3 = rows[at.w];
    }
    let out = closed(v);
    let d = max(select(v, vec4<f32>(-FAR), out) - select(vec4<f32>(r0.top, r1.top, r2.top, r3.top), vec4<f32>(0.0), out), vec4<f32>(-FAR));
    let p = exp(d) * (vec4<f32>(r0.a, r1.a, r2.a, r3.a) + vec4<f32>(r0.b, r1.b, r2.b, r3.b) * d);
    var g = select(p, vec4<f32>(0.0), out);
    if SMOOTHS { g -= vec4<f32>(r0.c, r1.c, r2.c, r3.c) * shares(e, c); }
    let own = vec4<f32>(r0.own, r1.own, r2.own, r3.own);
    if CLASSES { g = select(g, g - own, c == vec4<u32>(r0.wanted, r1.wanted, r2.wanted, r3.wanted)); }
    let fate = vec4<u32>(r0.fate, r1.fate, r2.fate, r3.fate);
    g = select(g, vec4<f32>(0.0), fate == vec4<u32>(IGNORED));
    return select(g, vec4<f32>(bitcast<f32>(params.nan)), fate == vec4<u32>(LOST));
}

// The row (x) and class (y) of the next element.
fn next(at: vec2<u32>) -> vec2<u32> {
    let over = at.y + 1u == params.classes;
    return vec2<u32>(min(select(at.x, at.x + 1u, over), params.block - 1u), select(at.y + 1u, 0u, over));
}

@compute @workgroup_size(WG)
fn cross_entropy(@builtin(workgroup_id) wid: vec3<u32>,
                 @builtin(num_workgroups) count: vec3<u32>,
                 @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    // Elements of the window; all numbers of elements modulo 2^32.
    let first = (params.first + block) * params.block * params.classes - params.base;
    let quads = min(params.block * params.classes / 4u, (params.end - first + 3u) / 4u);
    fetch(lane, first, quads);
    let part = lane % params.lanes;
    var mine = 0.0;
    for (var turn = 0u; turn < params.turns; turn++) {
        let slot = turn * (WG / params.lanes) + lane / params.lanes;
        let row = (params.first + block) * params.block + slot;
        var s = nothing_seen();
        if row < params.rows {
            for (var c = 4u * part; c < params.classes; c += 4u * params.lanes) {
                let classes = c + vec4<u32>(0u, 1u, 2u, 3u);
                let e = slot * params.classes + c;
                let live = classes < vec4<u32>(params.classes);
                var share = vec4<f32>(0.0);
                if SMOOTHS { share = shares(first + e, min(classes, vec4<u32>(params.classes - 1u))); }
                s = joined(s, state_of(four(first, e), share, live));
            }
        }
        states[lane] = s;
        workgroupBarrier();
        for (var half = params.lanes / 2u; half > 0u; half /= 2u) {
            if part < half { states[lane] = joined(states[lane], states[lane + half]); }
            workgroupBarrier();
        }
        if part == 0u && row < params.rows {
            let value = settle(row, slot, first, states[lane]);
            keep_loss(row, value);
            mine += value;
        }
    }
    let sum = reduce(lane, mine);
    if lane == 0u { keep_block(block, sum * scale_of()); }
    // The barriers of `reduce` also let every lane see the rows.
    if GRADIENT {
        for (var q = lane; q < quads; q += WG) {
            let e = 4u * q;
            let at = vec2<u32>(e / params.classes, e % params.classes);
            var slots = vec4<u32>(at.x);
            var c = at.y + vec4<u32>(0u, 1u, 2u, 3u);
            if !WHOLE && at.y + 3u >= params.classes {
                let second = next(at);
                let third = next(second);
                let fourth = next(third);
                slots = vec4<u32>(at.x, second.x, third.x, fourth.x);
                c = vec4<u32>(at.y, second.y, third.y, fourth.y);
            }
            gradient_store(first / 4u + q, gradient(slots, c, four(first, e), first + e));
        }
    }
}
