// What a mask does not keep is written as 0. For lib/channels/apply; buffer: mask.
//!use lib/channels/mask_bits
fn shown(i: u32, v: vec4<f32>) -> vec4<f32> {
    let inner = params.length * select(1u, 4u, BY == 0u);
    let sample = params.length * params.period * select(4u, 1u, BY == 2u);
    let g = 4u * (i + params.base) + vec4<u32>(0u, 1u, 2u, 3u);
    return select(vec4<f32>(0.0), v, mask_bits(g / sample * inner + g % inner));
}
