// Philox4x32-10: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11.
// Needs a part that defines mul_wide.
fn philox(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
    var c = counter;
    var k = key;
    for (var round = 0u; round < 10u; round++) {
        let a = mul_wide(0xd2511f53u, c.x);
        let b = mul_wide(0xcd9e8d57u, c.z);
        c = vec4<u32>(b.y ^ c.y ^ k.x, b.x, a.y ^ c.w ^ k.y, a.x);
        k += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
    }
    return c;
}

// The call with this 64-bit number of one (step, stream) of the run that the key names.
fn philox_call(call: vec2<u32>) -> vec4<u32> {
    return philox(vec4<u32>(call, params.step, params.stream), vec2<u32>(params.key_lo, params.key_hi));
}

// A 64-bit number, (low, high), and a word.
fn add_wide(a: vec2<u32>, b: u32) -> vec2<u32> {
    let low = a.x + b;
    return vec2<u32>(low, a.y + select(0u, 1u, low < b));
}
