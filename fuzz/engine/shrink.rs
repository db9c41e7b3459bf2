//! Smaller inputs.

/// The input without one part of it: halves first, single bytes last. At most some hundreds.
pub fn bytes(input: &[u8]) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let mut size = input.len().div_ceil(2);
    while size > 0 && out.len() < 600 {
        for start in (0..input.len()).step_by(size) {
            let end = (start + size).min(input.len());
            out.push([&input[..start], &input[end..]].concat());
        }
        size = if size == 1 { 0 } else { size.div_ceil(2) };
    }
    out
}
