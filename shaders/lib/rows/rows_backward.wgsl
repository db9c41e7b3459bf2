// The gradients of normalised rows in one dispatch, for rows that stay on the chip between their sums and dx. With
// g = dy * weight and xhat = (x - mean) * rstd: dx = rstd * (g - (sum g + xhat * sum g * xhat) / cols), the sums over the row,
// without sum g where no mean was taken off. Each workgroup takes a run of rows and leaves the sums of dy and dy * xhat over
// them for every column: x and dy are read once. Lanes lie as in lib/rows/rows_forward.
// Open: HELD, ROOM (lib/rows/regs_*), of_team (lib/rows/team_*), mean_of (lib/channels/center_*), received (lib/dz_*), COLUMNS, leave (lib/rows/columns_*).
//!use lib/partition/grid
//!use lib/rows/row_weight_quads

// Buffers: x, dy, dx, rstd; those of the parts.

override WG: u32 = 256;
override ROWS: u32 = 1;
// WG * ROWS, or 1 where lanes hold their shares.
override SLOTS: u32 = 256;
// WG, or 1 where all lanes share a row.
override SPARE: u32 = 256;
override CENTERED: bool = true;
// One lane has a row to itself, and waits for no other; not where it holds a share, since lanes add up their columns then.
override ALONE: bool = false;
// Whether each lane holds HELD quads, no less.
override FULL: bool = false;
// Whether a lane that holds its share fetches that of its next row before it waits for others.
override AHEAD: bool = false;

// The most additions that a lane makes one after the other.
const RUN: u32 = 64u;

// A lane's share of its row, x - mean and dy; and of the sums of its columns.
var<private> far: array<vec4<f32>, ROOM>;
var<private> held: array<vec4<f32>, ROOM>;
var<private> bias_sums: array<vec4<f32>, ROOM>;
var<private> weight_sums: array<vec4<f32>, ROOM>;

// The same of its next row, as loaded.
var<private> x_ahead: array<vec4<f32>, ROOM>;
var<private> dy_ahead: array<vec4<f32>, ROOM>;

alias Share = vec2<f32>;

var<workgroup> of_lanes: array<vec2<f32>, SLOTS>;
var<workgroup> of_slots: array<vec4<f32>, SPARE>;

fn sum4(v: vec4<f32>) -> f32 { return (v.x + v.y) + (v.z + v.w); }

fn fetch(at: u32, trips: u32) {
    for (var k = 0u; k < HELD; k++) {
        if FULL || k < trips {
            x_ahead[k] = x_load(at + k * params.lanes);
            dy_ahead[k] = dy_load(at + k * params.lanes);
        }
    }
}

// The lane's part of sum g and sum g * xhat.
fn sums(row: u32, at: u32, part: u32, trips: u32) -> vec2<f32> {
    let mean = mean_of(row);
    let rstd = rstd_at(row);
    var g_sum = vec4<f32>(0.0);
    var product_sum = vec4<f32>(0.0);
    if HELD > 0u {
        for (var k = 0u; k < HELD; k++) {
            if FULL || k < trips {
                let q = k * params.lanes;
                far[k] = x_ahead[k] - mean;
                held[k] = dy_ahead[k];
                let g = held[k] * weights_of(part + q);
                g_sum += g;
                product_sum += g * (far[k] * rstd);
            }
        }
        return vec2<f32>(sum4(g_sum), sum4(product_sum));
    }
    for (var run = 0u; run < trips; run += RUN) {
        var g_some = vec4<f32>(0.0);
        var product_some = vec4<f32>(0.0);
        for (var k = run; k < min(run + RUN, trips); k++) {
            let q = k * params.lanes;
            let g = dy_load(at + q) * weights_of(part + q);
            g_some += g;
            product_some += g * ((x_load(at + q) - mean) * rstd);
        }
        g_sum += g_some;
        product_sum += product_some;
    }
    return vec2<f32>(sum4(g_sum), sum4(product_sum));
}

// dx of four values, with the row's (mean, rstd, sum g / cols, rstd * sum g * xhat / cols).
fn gradient(dy: vec4<f32>, weight: vec4<f32>, from_mean: vec4<f32>, c: vec4<f32>) -> vec4<f32> {
    return c.y * ((dy * weight - c.z) - from_mean * c.w);
}

// What gradient needs of a row.
fn settled(row: u32, sums: vec2<f32>) -> vec4<f32> {
    let r = min(row, params.rows - 1u);
    let shares = sums / params.values;
    let rstd = rstd_at(r);
    return vec4<f32>(mean_of(r), rstd, select(0.0, shares.x, CENTERED), rstd * shares.y);
}

// The sum over the lanes that have the same columns, for those of the first row. In uniform control flow.
fn over_slots(lane: u32, mine: vec4<f32>) -> vec4<f32> {
    if params.lanes == WG { return mine; }
    workgroupBarrier();
    of_slots[lane] = mine;
    workgroupBarrier();
    for (var half = WG / 2u; half >= params.lanes; half /= 2u) {
        if lane < half { of_slots[lane] += of_slots[lane + half]; }
        workgroupBarrier();
    }
    return of_slots[lane];
}

// As lib/rows/rows_forward has it.
fn rows_backward(block: u32, lane: u32) {
    let part = lane % params.lanes;
    let slot = lane / params.lanes;
    let slots = WG / params.lanes;
    let trips = (params.quads - min(part, params.quads) + params.lanes - 1u) / params.lanes;
    for (var turn = 0u; turn < params.turns; turn++) {
        let row = (params.first + block) * params.block + (turn * slots + slot) * ROWS;
        let live = min(ROWS, params.rows - min(row, params.rows));
        // Numbers of quads are modulo 2^32.
        let at = row * params.quads + part - params.base;
        var coefs: array<vec4<f32>, 8>;
        if HELD > 0u {
            var mine = vec2<f32>(0.0);
            if live > 0u {
                if !AHEAD || turn == 0u { fetch(at, trips); }
                mine = sums(row, at, part, trips);
            }
            if AHEAD && turn + 1u < params.turns && row + slots < params.rows { fetch(at + slots * params.quads, trips); }
            coefs[0] = settled(row, of_team(lane, part, mine));
            if live > 0u {
                for (var k = 0u; k < HELD; k++) {
                    if FULL || k < trips {
                        let q = at + k * params.lanes;
                        let dx = gradient(held[k], weights_of(part + k * params.lanes), far[k], coefs[0]);
                        dx_store(q, received(q, dx));
                        if COLUMNS {
                            bias_sums[k] += held[k];
                            weight_sums[k] += held[k] * (far[k] * coefs[0].y);
                        }
                    }
                }
            }
            continue;
        }
        var totals: array<vec2<f32>, 8>;
        for (var i = 0u; i < ROWS; i++) {
            totals[i] = vec2<f32>(0.0);
            if i < live { totals[i] = sums(row + i, at + i * params.quads, part, trips); }
        }
        if !ALONE {
            for (var i = 0u; i < ROWS; i++) { of_lanes[lane * ROWS + i] = totals[i]; }
            workgroupBarrier();
            for (var half = params.lanes / 2u; half > 0u; half /= 2u) {
                if part < half {
                    for (var i = 0u; i < ROWS; i++) { of_lanes[lane * ROWS + i] += of_lanes[(lane + half) * ROWS + i]; }
                }
                workgroupBarrier();
            }
            for (var i = 0u; i < ROWS; i++) { totals[i] = of_lanes[(lane - part) * ROWS + i]; }
        }
        for (var i = 0u; i < ROWS; i++) { coefs[i] = settled(row + i, totals[i]); }
        for (var k = 0u; k < trips; k++) {
            let column = part + k * params.lanes;
            let weight = weights_of(column);
            var bias_sum = vec4<f32>(0.0);
            var weight_sum = vec4<f32>(0.0);
            for (var i = 0u; i < ROWS; i++) {
                if i < live {
                    let q = at + i * params.quads + k * params.lanes;
                    let from_mean = x_load(q) - coefs[i].x;
                    let dy = dy_load(q);
                    dx_store(q, received(q, gradient(dy, weight, from_mean, coefs[i])));
                    bias_sum += dy;
                    weight_sum += dy * (from_mean * coefs[i].y);
                }
            }
            if COLUMNS {
                leave(((params.first + block) * slots + slot) * params.width + column, turn > 0u, bias_sum, weight_sum);
            }
        }
        // The next turn writes where slower lanes may still read.
        if !ALONE { workgroupBarrier(); }
    }
    if HELD > 0u && COLUMNS {
        for (var k = 0u; k < HELD; k++) {
            let bias_sum = over_slots(lane, bias_sums[k]);
            let weight_sum = over_slots(lane, weight_sums[k]);
            if slot == 0u && k < trips {
                leave((params.first + block) * params.width + part + k * params.lanes, false, bias_sum, weight_sum);
            }
        }
    }
}
