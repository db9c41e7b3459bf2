// For norms/parts/sigma: with z = W'u and v = z / max(|z|, eps), u'Wv = z'v is |z| times |z| / max(|z|, eps).
//!use lib/reduce/scaled_squares
fn sigma_of(all: vec4<f32>) -> f32 {
    let norm = norm_of(all);
    // A quotient of a number by itself may be off; and infinity by itself is NaN.
    return select(norm * (norm / params.eps), norm, norm >= params.eps);
}
