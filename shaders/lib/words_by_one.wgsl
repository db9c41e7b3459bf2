// lib/copy_words and lib/fill_words on array<u32>.
fn words(rest: u32, last: u32) -> u32 {
    return last;
}
