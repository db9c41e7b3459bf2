// A level that is not the last: only this workgroup reads its partials, and all its lanes have done so.
fn level_store(row: u32, first: u32, all: Partial) {
    partials[first] = all;
}
