/// The row with this number, of so many columns; zeros if there is none.
pub fn gather_rows(source: &[f64], columns: usize, pick: u32) -> Vec<f64> {
    match source.chunks_exact(columns).nth(pick as usize) {
        Some(row) => row.to_vec(),
        None => vec![0.0; columns],
    }
}
