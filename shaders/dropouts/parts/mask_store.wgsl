// Keeps the mask, a bit for each element; a unit of work is one word. Needs the binding `mask: array<u32>`.
fn note(unit: u32, word: u32) {
    mask[unit - params.base / 8u] = select(word, word & params.last_bits, unit == params.last_word);
}
