// How many decisions of a workgroup keep: partials in scratch.
//!use lib/reduce/sum_u32
//!use lib/reduce/workgroup
fn keep_count(block: u32, lane: u32, ones: u32) {
    let all = reduce(lane, ones);
    if lane == 0u { work[params.partials_at + block] = all; }
}
