// lib/copy/copy and lib/copy/fill on array<u32>.
fn words(rest: u32, last: u32) -> u32 {
    return last;
}
