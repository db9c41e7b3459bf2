// For lib/channels/products: the output is the normalised value times the weight of its place. Buffers: dy, weight.
//!use lib/rows/row_weight
fn gradient(e: u32, at: u32) -> vec4<f32> {
    let places = select(at + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(at), COLUMNS > 0u);
    return dy_four(e) * weights(min(places, vec4<u32>(params.inner - 1u)));
}
