// Normalises rows in one dispatch, for rows that stay on the chip between their statistics and their values: `lanes` lanes
// share a row, quad by quad side by side, and WG / lanes shares are worked on at once, `turns` times. A lane takes ROWS
// neighbouring rows together: what belongs to the columns is fetched once for them. See src/rows/onchip.rs.
// Open: HELD, ROOM (lib/held_*); Params (lib/row_params, lib/standard_params); Partial, NOTHING, merge, look (what a lane gathers),
// settle (coefficients of a row, whose statistics one lane keeps), normalized (lib/row_affine, lib/row_squares, lib/row_norm,
// lib/row_standard); Columns, columns (lib/affine_*, lib/row_squares).
//!use lib/grid

@group(0) @binding(0) var<uniform> params: Params;
// Buffers: x, y; those of the parts.

override WG: u32 = 256;
override ROWS: u32 = 1;
// WG * ROWS.
override SLOTS: u32 = 256;
// One lane has a row to itself, and waits for no other.
override ALONE: bool = false;

// A lane's share of its row.
var<private> held: array<vec4<f32>, ROOM>;

var<workgroup> of_lanes: array<Partial, SLOTS>;

@compute @workgroup_size(WG)
fn row_forward(@builtin(workgroup_id) wid: vec3<u32>,
               @builtin(num_workgroups) count: vec3<u32>,
               @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    let part = lane % params.lanes;
    // This lane's quads of a row.
    let trips = (params.quads - min(part, params.quads) + params.lanes - 1u) / params.lanes;
    for (var turn = 0u; turn < params.turns; turn++) {
        let row = (params.first + block) * params.block + (turn * (WG / params.lanes) + lane / params.lanes) * ROWS;
        let live = min(ROWS, params.rows - min(row, params.rows));
        // Numbers of quads are modulo 2^32.
        let at = row * params.quads + part - params.base;
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
        if HELD > 0u {
            for (var k = 0u; k < HELD; k++) {
                if k < trips && live > 0u {
                    y_store(at + k * params.lanes, normalized(held[k], coefs[0], columns(row, part + k * params.lanes)));
                }
            }
        } else {
            for (var k = 0u; k < trips; k++) {
                let here = columns(row, part + k * params.lanes);
                for (var i = 0u; i < ROWS; i++) {
                    let q = at + i * params.quads + k * params.lanes;
                    if i < live { y_store(q, normalized(x_load(q), coefs[i], here)); }
                }
            }
        }
        // The next turn writes where slower lanes may still read.
        if !ALONE { workgroupBarrier(); }
    }
}
