// Copies the rows of models that improved just now (status 1, in the last of the four rows of `state`), bit by bit; others stay. A
// block is a part of one model. `here` and `best` are words, or quads of them.
//!use lib/partition/grid

// Buffers: state: array<u32>, here (read), best (written).

override WG: u32 = 64;

const IMPROVED: u32 = 0x3f800000u; // 1

@compute @workgroup_size(WG)
fn keep_best(@builtin(workgroup_id) wid: vec3<u32>,
             @builtin(num_workgroups) count: vec3<u32>,
             @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let model = block / params.parts;
    if state[3u * params.models + model] != IMPROVED { return; }
    let first = model * params.items;
    let start = first + block % params.parts * params.length;
    let end = min(start + params.length, first + params.items);
    for (var at = start + lane_of(index, WG); at < end; at += WG) { best[at] = here[at]; }
}
