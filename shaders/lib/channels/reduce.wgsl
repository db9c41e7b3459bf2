// Reduces the values of each channel to partials: a workgroup per chunk, cut by the tensor's shape; see src/kernels/channels.
// Planes (channel, inner > 1): a chunk is a segment of one plane, or whole planes of one channel from several samples; the
// lanes lie side by side along them. Columns (inner = 1): a chunk is a run of rows; a lane owns four neighbouring channels,
// and lanes that share them split the rows. Either way a lane keeps four independent states, one per element of a quad,
// so the loop has no branch; a tree in fixed order joins the lanes.
// What is accumulated is a part: lib/channels/moments, lib/channels/products and the like (Frame, frame, visit, join, write). `visit` is also
// told where the quad lies across the channels: its first place in the plane, or its row.
//!use lib/partition/grid

// Buffers: those of the part, and partials, where partial i of channel c is entry i * channels + c.

override WG: u32 = 256;
// Lanes side by side in columns; 0 for planes.
override COLUMNS: u32 = 0;
// Whether a plane may end within a quad.
override MASKED: bool = false;

struct State { n: vec4<f32>, a: vec4<f32>, b: vec4<f32> }

// Where a lane goes: `trips` quads from element `e` on; `j` counts quads of a plane and wraps at `quads`. The chunk's first,
// middle and last quad for these channels are known to all its lanes.
struct Walk { e: u32, j: u32, trips: u32, step_e: u32, step_j: u32, quads: u32, wrap: u32, tail: u32,
              some: vec3<u32>, channel: u32, partial: u32, from_: u32, rise: u32 }

fn walk_planes(chunk: u32, lane: u32) -> Walk {
    let plane = chunk / params.across;
    let c = plane % params.channels;
    let group = plane / params.channels;
    let n = group * params.rows;
    let from_ = chunk % params.across * params.segment;
    let len = min(params.segment, params.inner - from_);
    let quads = (len + 3u) / 4u;
    let rows = min(params.rows, params.outer - n);
    let all = rows * quads;
    let sample = params.channels * params.inner;
    let origin = (n * params.channels + c) * params.inner + from_ - params.base;
    let j = lane % quads;
    return Walk(origin + lane / quads * sample + 4u * j, j, select(0u, (all + WG - 1u - lane) / WG, lane < all),
                WG / quads * sample + 4u * (WG % quads), WG % quads, quads, sample - 4u * quads, len - 4u * (quads - 1u),
                origin + vec3<u32>(0u, rows / 2u * sample + 4u * (quads / 2u), (rows - 1u) * sample + 4u * (quads - 1u)),
                c, (group * params.across + chunk % params.across) * params.channels + c, from_, 0u);
}

fn walk_columns(chunk: u32, lane: u32) -> Walk {
    let width = max(COLUMNS, 1u);
    let c = 4u * (chunk % params.across * width + lane % width);
    let run = chunk / params.across;
    let n = run * params.rows;
    let rows = min(params.rows, params.outer - n);
    let r = lane / width;
    let step = WG / width;
    let origin = n * params.channels + c - params.base;
    return Walk(origin + r * params.channels, 0u, select(0u, (rows + step - 1u - r) / step, c < params.channels && r < rows),
                step * params.channels, 0u, 1u, 0u, 4u,
                origin + vec3<u32>(0u, rows / 2u, rows - 1u) * params.channels, c, run * params.channels + c, n + r, step);
}

var<workgroup> tree_n: array<vec4<f32>, WG>;
var<workgroup> tree_a: array<vec4<f32>, WG>;
var<workgroup> tree_b: array<vec4<f32>, WG>;

// The total of the four states, in every element.
fn squash(s: State) -> State {
    let p = join(s, State(s.n.yxwz, s.a.yxwz, s.b.yxwz));
    return join(p, State(p.n.zwxy, p.a.zwxy, p.b.zwxy));
}

@compute @workgroup_size(WG)
fn channel_reduce(@builtin(workgroup_id) wid: vec3<u32>,
                  @builtin(num_workgroups) count: vec3<u32>,
                  @builtin(local_invocation_index) index: u32) {
    let chunk = workgroup_index(wid, count);
    if chunk >= params.chunks { return; }
    let lane = lane_of(index, WG);
    var w: Walk;
    if COLUMNS > 0u { w = walk_columns(params.first + chunk, lane); } else { w = walk_planes(params.first + chunk, lane); }
    var mine = State(vec4<f32>(0.0), vec4<f32>(0.0), vec4<f32>(0.0));
    var f: Frame;
    if w.trips > 0u { f = frame(w.some, w.channel); }
    for (var k = 0u; k < w.trips; k++) {
        let elements = select(4u, w.tail, w.j + 1u == w.quads);
        let at = w.from_ + 4u * w.j + k * w.rise;
        mine = visit(mine, f, w.e, at, vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(elements), f32(k + 1u));
        w.e += w.step_e;
        w.j += w.step_j;
        if w.j >= w.quads {
            w.j -= w.quads;
            w.e += w.wrap;
        }
    }
    tree_n[lane] = mine.n;
    tree_a[lane] = mine.a;
    tree_b[lane] = mine.b;
    workgroupBarrier();
    let width = max(COLUMNS, 1u);
    for (var half = WG / 2u; half >= width; half /= 2u) {
        if lane < half {
            let other = lane + half;
            let both = join(State(tree_n[lane], tree_a[lane], tree_b[lane]), State(tree_n[other], tree_a[other], tree_b[other]));
            tree_n[lane] = both.n;
            tree_a[lane] = both.a;
            tree_b[lane] = both.b;
        }
        workgroupBarrier();
    }
    if lane < width && w.trips > 0u {
        mine = State(tree_n[lane], tree_a[lane], tree_b[lane]);
        if COLUMNS == 0u {
            write(w.partial, 0u, f, squash(mine));
        } else {
            for (var i = 0u; i < min(4u, params.channels - w.channel); i++) { write(w.partial + i, i, f, mine); }
        }
    }
}
