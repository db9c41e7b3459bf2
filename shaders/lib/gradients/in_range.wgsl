// Every number of an arena brought into params.low to params.high. A NaN stays.
//!use lib/arena/map

// Buffers: grad (updated), table. What the map works on is called `grad` here, also where it is weights.

fn mapped(b: Block, q: u32, g: vec4<f32>) -> vec4<f32> {
    let low = vec4<f32>(params.low);
    let high = vec4<f32>(params.high);
    // max and min may drop a NaN, and a compiler may turn comparisons round: it is told apart by its bits.
    let nan = (bitcast<vec4<u32>>(g) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u);
    return select(select(select(g, low, g < low), high, g > high), g, nan);
}
