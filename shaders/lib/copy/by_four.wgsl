// lib/copy/copy and lib/copy/fill on array<vec4<u32>>: `last` for the fourth word, `rest` for those before it.
fn words(rest: u32, last: u32) -> vec4<u32> {
    return vec4<u32>(rest, rest, rest, last);
}
