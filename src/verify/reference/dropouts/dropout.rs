use super::philox;

/// Whether decision number `i` keeps what depends on it. `bits` is 16 or 32; round(2^bits·(1-p)) of the 2^bits values keep.
pub fn keeps(p: f64, bits: u32, seed: u64, stream: u32, step: u32, i: u64) -> bool {
    let key = [seed as u32, (seed >> 32) as u32];
    let block = |number: u64| philox([number as u32, (number >> 32) as u32, step, stream], key);
    let threshold = (2f64.powi(bits as i32) * (1.0 - p)).round();
    let value = if bits == 16 {
        let word = block(i / 8)[(i % 4) as usize];
        if (i / 4).is_multiple_of(2) { word & 0xffff } else { word >> 16 }
    } else {
        block(i / 4)[(i % 4) as usize]
    };
    f64::from(value) < threshold
}

/// The probability of keeping that `bits` random bits realise.
pub fn keep(p: f64, bits: u32) -> f64 {
    let range = 2f64.powi(bits as i32);
    (range * (1.0 - p)).round() / range
}

/// One element: what is dropped is 0, whatever it was.
pub fn dropout(x: f64, kept: bool, factor: f64) -> f64 {
    if kept { x * factor } else { 0.0 }
}
