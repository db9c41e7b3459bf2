// Keeps the mask, a bit for each element; a run is one word. Needs the binding `mask: array<u32>`.
fn note(run: u32, word: u32) {
    mask[run - params.base / 8u] = select(word, word & params.last_bits, run == params.last_word);
}
