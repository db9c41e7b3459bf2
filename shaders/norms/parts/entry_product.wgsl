// For norms/parts/vector_sums: the product's product with another vector. Buffer: vector (read).
fn entry(c: u32, sum: f32) -> vec4<f32> {
    return vec4<f32>(sum * vector_at(c), 0.0, 0.0, 0.0);
}
