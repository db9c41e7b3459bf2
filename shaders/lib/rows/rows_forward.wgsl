// Normalises rows in one dispatch, for rows that stay on the chip between their statistics and their values: `lanes` lanes
// share a row, quad by quad side by side, and WG / lanes shares are worked on at once, `turns` times. Where lanes hold their shares
// (HELD > 0), the part joins them; else a lane takes ROWS neighbouring rows together: what belongs to the columns is fetched once
// for them. See src/kernels/rows/onchip.
// Open: HELD, ROOM (lib/rows/regs_*); of_team (lib/rows/team_*); Partial, NOTHING, merge, look (what a
// lane gathers), Share, gathered (what all lanes of a row gather, who hold it), settle (coefficients of a row, whose statistics one lane
// keeps), normalized (lib/rows/row_affine, norms/parts/row_squares, norms/parts/row_norm, norms/parts/row_standard); Columns, columns (lib/rows/affine_*, norms/parts/row_squares).
//!use lib/partition/grid

// Buffers: x, y; those of the parts.

override WG: u32 = 256;
override ROWS: u32 = 1;
// WG * ROWS, or 1 where lanes hold their shares.
override SLOTS: u32 = 256;
// Whether each lane holds HELD quads, no less.
override FULL: bool = false;

// One lane has a row to itself, and waits for no other. Without shares held.
override ALONE: bool = false;

// A lane's share of its row.
var<private> held: array<vec4<f32>, ROOM>;

var<workgroup> of_lanes: array<Partial, SLOTS>;

// What workgroup `block` does.
fn rows_forward(block: u32, lane: u32) {
    let part = lane % params.lanes;
    // This lane's quads of a row.
    let trips = (params.quads - min(part, params.quads) + params.lanes - 1u) / params.lanes;
    for (var turn = 0u; turn < params.turns; turn++) {
        let row = (params.first + block) * params.block + (turn * (WG / params.lanes) + lane / params.lanes) * ROWS;
        let live = min(ROWS, params.rows - min(row, params.rows));
        // Numbers of quads are modulo 2^32.
        let at = row * params.quads + part - params.base;
        if HELD > 0u {
            let all = gathered(lane, part, at, select(0u, trips, live > 0u));
            let c = settle(min(row, params.rows - 1u), all, part == 0u && live > 0u);
            if live > 0u {
                for (var k = 0u; k < HELD; k++) {
                    if FULL || k < trips {
                        y_store(at + k * params.lanes, normalized(held[k], c, columns(row, part + k * params.lanes)));
                    }
                }
            }
            continue;
        }
        var sums: array<Partial, 4>;
        for (var i = 0u; i < ROWS; i++) {
            sums[i] = NOTHING;
            if i < live { sums[i] = look(at + i * params.quads, trips); }
        }
        if !ALONE {
            for (var i = 0u; i < ROWS; i++) { of_lanes[lane * ROWS + i] = sums[i]; }
            workgroupBarrier();
            for (var half = params.lanes / 2u; half > 0u; half /= 2u) {
                if part < half {
                    for (var i = 0u; i < ROWS; i++) {
                        let slot = lane * ROWS + i;
                        of_lanes[slot] = merge(of_lanes[slot], of_lanes[slot + half * ROWS]);
                    }
                }
                workgroupBarrier();
            }
            for (var i = 0u; i < ROWS; i++) { sums[i] = of_lanes[(lane - part) * ROWS + i]; }
        }
        var coefs: array<vec4<f32>, 4>;
        for (var i = 0u; i < ROWS; i++) {
            coefs[i] = settle(min(row + i, params.rows - 1u), sums[i], part == 0u && i < live);
        }
        for (var k = 0u; k < trips; k++) {
            let here = columns(row, part + k * params.lanes);
            for (var i = 0u; i < ROWS; i++) {
                let q = at + i * params.quads + k * params.lanes;
                if i < live { y_store(q, normalized(x_load(q), coefs[i], here)); }
            }
        }
        // The next turn writes where slower lanes may still read.
        if !ALONE { workgroupBarrier(); }
    }
}
