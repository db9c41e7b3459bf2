// A level that is not the last: only this workgroup reads its partials, and all its lanes have done so.
fn tensor_store(tensor: u32, first: u32, all: Partial) {
    partials[first] = all;
}
