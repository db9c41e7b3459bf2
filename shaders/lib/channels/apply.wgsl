// Maps every element with its channel's four coefficients. One workgroup per block of WG * QUADS quads, lanes side by side.
// The channel is found once per lane by division and then by counting: a lane moves on by a fixed number of units, so its
// place in the plane and its channel do too. Units are quads where a plane, or a row of channels, is whole quads (BY 0, 1),
// else elements (BY 2). Where a lane is in the same channels again every `phases` steps (HELD), it takes
// those steps together and fetches their coefficients once.
// The map is a part: `transform(i, c, at)`, lib/normalize and the like; `places(at)` tells where in their planes the four lie,
// `channels_of(at)` in which channels.
//!use lib/partition/grid

// Buffers: those of the part, and coefs, four words per channel.

override WG: u32 = 256;
override QUADS: u32 = 4;
// 0: a quad lies in one channel. 1: a quad holds four neighbouring channels. 2: neither is sure.
override BY: u32 = 2;
override HELD: bool = false;
// Whether coefficients are fetched only where the channel is another than before: a software device loads lane by lane, and asks
// each whether it must.
override KEPT: bool = false;
// Where batches of SPAN units have coefficients of their own, WIDTH units to a row of channels; 0 where all share them.
override SPAN: u32 = 0u;
override WIDTH: u32 = 1u;
// Neighbouring channels that have coefficients together.
override PER: u32 = 1u;

// The four coefficients of each element of a quad.
struct Coefs { a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32> }

fn across(p: vec4<f32>, q: vec4<f32>, r: vec4<f32>, s: vec4<f32>) -> Coefs {
    return Coefs(vec4<f32>(p.x, q.x, r.x, s.x), vec4<f32>(p.y, q.y, r.y, s.y),
                 vec4<f32>(p.z, q.z, r.z, s.z), vec4<f32>(p.w, q.w, r.w, s.w));
}

// The channel (x) and place (y) of the next element.
fn next(at: vec2<u32>) -> vec2<u32> {
    if at.y + 1u < params.length { return vec2<u32>(at.x, at.y + 1u); }
    return vec2<u32>(select(at.x + 1u, 0u, at.x + 1u == params.period), 0u);
}

// The unit of the coefficients, from that of the tensor.
fn row_of(unit: u32) -> u32 {
    if SPAN == 0u { return unit; }
    return unit / max(SPAN, 1u) * WIDTH + unit % WIDTH;
}

fn alike(v: vec4<f32>) -> Coefs {
    return Coefs(vec4<f32>(v.x), vec4<f32>(v.y), vec4<f32>(v.z), vec4<f32>(v.w));
}

fn coefs_of(at: vec2<u32>) -> Coefs {
    if BY == 0u { return alike(coefs[row_of(at.x) / PER]); }
    if BY == 1u {
        let c = 4u * row_of(at.x);
        return across(coefs[c / PER], coefs[(c + 1u) / PER], coefs[(c + 2u) / PER], coefs[(c + 3u) / PER]);
    }
    let second = next(at);
    let third = next(second);
    return across(coefs[row_of(at.x) / PER], coefs[row_of(second.x) / PER],
                  coefs[row_of(third.x) / PER], coefs[row_of(next(third).x) / PER]);
}

fn visit(q: u32, c: Coefs, at: vec2<u32>) {
    if q >= params.lo && q < params.hi { transform(q - params.base, c, at); }
}

// The places of a quad's elements in their planes.
fn places(at: vec2<u32>) -> vec4<u32> {
    if BY == 0u { return 4u * at.y + vec4<u32>(0u, 1u, 2u, 3u); }
    if BY == 1u { return vec4<u32>(at.y); }
    let second = next(at);
    let third = next(second);
    return vec4<u32>(at.y, second.y, third.y, next(third).y);
}

// The unit across the channels, from that of the tensor.
fn column_of(unit: u32) -> u32 {
    if SPAN == 0u { return unit; }
    return unit % WIDTH;
}

// The channels of a quad's elements.
fn channels_of(at: vec2<u32>) -> vec4<u32> {
    if BY == 0u { return vec4<u32>(column_of(at.x)); }
    if BY == 1u { return 4u * column_of(at.x) + vec4<u32>(0u, 1u, 2u, 3u); }
    let second = next(at);
    let third = next(second);
    return vec4<u32>(column_of(at.x), column_of(second.x), column_of(third.x), column_of(next(third).x));
}

@compute @workgroup_size(WG)
fn channel_apply(@builtin(workgroup_id) wid: vec3<u32>,
                 @builtin(num_workgroups) count: vec3<u32>,
                 @builtin(local_invocation_index) index: u32) {
    let work = workgroup_index(wid, count);
    if work >= params.blocks { return; }
    // Backwards: what was read last for the coefficients is still in a cache.
    let block = params.blocks - 1u - work;
    let lane = lane_of(index, WG);
    let first = (params.first + block) * WG * QUADS + lane;
    let unit = (block * WG * QUADS + lane) * select(1u, 4u, BY == 2u) + params.at_place;
    var at = vec2<u32>((params.at_channel + unit / params.length % params.period) % params.period, unit % params.length);
    var kept: vec4<f32>;
    var last = at.x + 1u;
    for (var k = 0u; k < select(QUADS, params.phases, HELD); k++) {
        var c: Coefs;
        if KEPT {
            if last != at.x {
                kept = coefs[row_of(at.x) / PER];
                last = at.x;
            }
            c = alike(kept);
        } else {
            c = coefs_of(at);
        }
        if HELD {
            for (var i = k; i < QUADS; i += params.phases) { visit(first + i * WG, c, at); }
        } else {
            visit(first + k * WG, c, at);
        }
        at += vec2<u32>(params.step_channel, params.step_place);
        if at.y >= params.length { at = vec2<u32>(at.x + 1u, at.y - params.length); }
        if at.x >= params.period { at.x -= params.period; }
    }
}
