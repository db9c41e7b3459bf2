// The normal numbers of four elements in a row: element i has number i & 3 of Philox call i >> 2.
// `first` is the first one's number, low and high word.
//!use lib/philox/normal
//!use lib/philox/philox

fn draw_normals(first: vec2<u32>) -> vec4<f32> {
    let call = vec2<u32>((first.x >> 2u) | (first.y << 30u), first.y >> 2u);
    let a = normals(philox_call(call));
    let skipped = first.x & 3u;
    if skipped == 0u { return a; }
    let b = normals(philox_call(add_wide(call, 1u)));
    let one_or_two = select(vec4<f32>(a.yzw, b.x), vec4<f32>(a.zw, b.xy), skipped == 2u);
    return select(one_or_two, vec4<f32>(a.w, b.xyz), skipped == 3u);
}
