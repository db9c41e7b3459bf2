// Numbers of rows, drawn with replacement: `picks` rows of `sets` columns. Pick i of set s has the number first + s·2^34 + i: word i & 3
// of the Philox call with that number over 4, so that a set depends on no other. A lane draws four picks of a set.
//!use lib/partition/grid
//!use lib/philox/philox

// Buffer: indices (written).

override WG: u32 = 64;

// Of the rows, that at this share of 2^32.
fn row_at(word: u32) -> u32 { return mul_wide(word, params.rows).y; }

@compute @workgroup_size(WG)
fn bootstrap_indices(@builtin(workgroup_id) wid: vec3<u32>,
                     @builtin(num_workgroups) count: vec3<u32>,
                     @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = block * WG + lane_of(index, WG);
    if lane >= params.lanes { return; }
    let column = lane % params.sets;
    let quad = lane / params.sets;
    let words = philox_call(add_wide(vec2<u32>(params.draw_lo, params.draw_hi + column), quad));
    let pick = 4u * quad;
    let at = pick * params.sets + column;
    indices[at] = row_at(words.x);
    if pick + 1u < params.picks { indices[at + params.sets] = row_at(words.y); }
    if pick + 2u < params.picks { indices[at + 2u * params.sets] = row_at(words.z); }
    if pick + 3u < params.picks { indices[at + 3u * params.sets] = row_at(words.w); }
}
