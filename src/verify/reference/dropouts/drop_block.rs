/// The probability of a seed, for which about a share `p` of an image of h × w is dropped, squares being `side` × `side`.
pub fn block_gamma(p: f64, side: usize, [h, w]: [usize; 2]) -> f64 {
    let places = ((h - side + 1) * (w - side + 1)) as f64;
    p * (h * w) as f64 / ((side * side) as f64 * places)
}

/// Which places of an image of rows of `w` are kept, `seed(i, j)` telling whether a square begins at row i and column j.
pub fn block_kept(side: usize, [h, w]: [usize; 2], seed: impl Fn(usize, usize) -> bool) -> Vec<bool> {
    let mut kept = vec![true; h * w];
    for i in 0..=h - side {
        for j in 0..=w - side {
            if seed(i, j) {
                (0..side * side).for_each(|k| kept[(i + k / side) * w + j + k % side] = false);
            }
        }
    }
    kept
}

/// All over those that are kept; 0 if none is.
pub fn block_factor(kept: &[bool]) -> f64 {
    let ones = kept.iter().filter(|k| **k).count();
    if ones == 0 { 0.0 } else { kept.len() as f64 / ones as f64 }
}

/// One element: what is dropped is 0, whatever it was.
pub fn drop_block(x: f64, kept: bool, factor: f64) -> f64 {
    if kept { x * factor } else { 0.0 }
}
