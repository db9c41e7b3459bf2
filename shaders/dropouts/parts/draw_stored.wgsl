// The decisions of eight elements from a mask that was stored: bit e & 31 of word e >> 5 for the element at place e of
// memory. Needs the binding `mask: array<u32>` (read), for the window's elements.
fn draw(pair: u32) -> Kept {
    let p = pair - params.base / 2u;
    let kept = vec4<u32>(mask[p >> 2u] >> (8u * (p & 3u)));
    let bit = vec4<u32>(1u, 2u, 4u, 8u);
    return Kept((kept & bit) != vec4<u32>(0u), (kept & (bit << vec4<u32>(4u))) != vec4<u32>(0u));
}
