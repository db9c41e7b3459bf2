// The first stage of what is summed over each row, or each column, of the matrices of an arena: partials in fixed places.
// Rows: a team of `width` lanes takes a part of one row, `span` quads of it; short rows share a workgroup. Columns: `width` lanes
// side by side own four neighbouring columns each, the rest of the workgroup lies below them; a part is `span` rows.
// What is summed is a part: visit(state, values, own), lib/unitwise/squares and the like.
//!use lib/partition/grid
//!use lib/unitwise/units

// Buffers: x (read), table, partials (written).

override WG: u32 = 256;

// Three scales of squares (lib/reduce/scaled_squares) and a plain sum, each for the four elements of a quad.
struct State { large: vec4<f32>, middle: vec4<f32>, small: vec4<f32>, plain: vec4<f32> }

fn first_block(m: u32) -> u32 {
    return table[4u * m].x;
}

// Where a lane goes: `trips` quads from element `e` on. Of the quad of trip `masked` only `tail` elements count. In columns what lies
// past the last one is summed by itself and never written.
struct Walk { e: u32, step: u32, trips: u32, masked: u32, tail: u32, partial: u32, writes: u32 }

fn walk_rows(k: u32, lane: u32, shape: vec4<u32>, cut: vec4<u32>) -> Walk {
    let team = cut.y;
    let chunk = k * (WG / team) + lane / team;
    let l = lane % team;
    let row = chunk / cut.z;
    let from_ = 4u * cut.w * (chunk % cut.z);
    let len = min(4u * cut.w, shape.w - from_);
    let quads = (len + 3u) / 4u;
    let mine = row < shape.z && l < quads;
    let last = (quads - 1u - l) / team;
    return Walk(row * shape.w + from_ + 4u * l, 4u * team, select(0u, last + 1u, mine),
                select(0xffffffffu, last, l + last * team + 1u == quads), len - 4u * (quads - 1u), chunk,
                select(0u, 1u, mine && l == 0u));
}

fn walk_columns(k: u32, lane: u32, shape: vec4<u32>, cut: vec4<u32>) -> Walk {
    let across = (shape.w + 4u * cut.y - 1u) / (4u * cut.y);
    let c = 4u * (k % across * cut.y + lane % cut.y);
    let run = k / across;
    let rows = min(cut.w, shape.z - run * cut.w);
    let depth = WG / cut.y;
    let r = lane / cut.y;
    let mine = c < shape.w && r < rows;
    return Walk((run * cut.w + r) * shape.w + c, depth * shape.w, select(0u, (rows - 1u - r) / depth + 1u, mine),
                0xffffffffu, 4u, c * cut.z + run, select(0u, min(4u, shape.w - c), mine && r == 0u));
}

var<workgroup> tree_large: array<vec4<f32>, WG>;
var<workgroup> tree_middle: array<vec4<f32>, WG>;
var<workgroup> tree_small: array<vec4<f32>, WG>;
var<workgroup> tree_plain: array<vec4<f32>, WG>;

fn total(v: vec4<f32>) -> f32 {
    return (v.x + v.y) + (v.z + v.w);
}

@compute @workgroup_size(WG)
fn unit_partials(@builtin(workgroup_id) wid: vec3<u32>,
                 @builtin(num_workgroups) count: vec3<u32>,
                 @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let m = find_matrix(params.first + block);
    let shape = table[4u * m];
    let cut = table[4u * m + 1u];
    let place = table[4u * m + 2u];
    let own = bitcast<vec4<f32>>(table[4u * m + 3u]);
    let lane = lane_of(index, WG);
    let columns = cut.x == 1u;
    var w: Walk;
    if columns {
        w = walk_columns(params.first + block - shape.x, lane, shape, cut);
    } else {
        w = walk_rows(params.first + block - shape.x, lane, shape, cut);
    }
    let origin = 4u * (shape.y - params.base) + w.e;
    let none = vec4<f32>(0.0);
    var s = State(none, none, none, none);
    for (var k = 0u; k < w.trips; k++) {
        let n = select(4u, w.tail, k == w.masked);
        let x = x_four(origin + k * w.step);
        s = visit(s, select(none, x, vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(n)), own);
    }
    tree_large[lane] = s.large;
    tree_middle[lane] = s.middle;
    tree_small[lane] = s.small;
    tree_plain[lane] = s.plain;
    workgroupBarrier();
    // Lanes of a team are neighbours; lanes below one another are `width` apart.
    let low = select(1u, cut.y, columns);
    let high = select(cut.y, WG, columns);
    for (var half = WG / 2u; half > 0u; half /= 2u) {
        if half >= low && half < high && (lane & (2u * half - 1u)) < half {
            tree_large[lane] += tree_large[lane + half];
            tree_middle[lane] += tree_middle[lane + half];
            tree_small[lane] += tree_small[lane + half];
            tree_plain[lane] += tree_plain[lane + half];
        }
        workgroupBarrier();
    }
    let all = State(tree_large[lane], tree_middle[lane], tree_small[lane], tree_plain[lane]);
    if columns {
        for (var i = 0u; i < w.writes; i++) {
            partials[place.x + w.partial + i * cut.z] = vec4<f32>(all.large[i], all.middle[i], all.small[i], all.plain[i]);
        }
    } else if w.writes > 0u {
        partials[place.x + w.partial] = vec4<f32>(total(all.large), total(all.middle), total(all.small), total(all.plain));
    }
}
