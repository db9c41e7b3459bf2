// For norms/parts/vector_sums: the vector becomes the product, and its squares are summed. Buffer: vector (written).
//!use lib/reduce/scaled_squares
fn entry(c: u32, sum: f32) -> vec4<f32> {
    vector_put(c, sum);
    let none = vec4<f32>(0.0);
    return partial_of(with_squares(Squares(none, none, none), vec4<f32>(sum, 0.0, 0.0, 0.0)));
}
