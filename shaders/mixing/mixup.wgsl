// y = λ·x + (1 - λ)·(the partner's x), for lib/samples/map. Rows of the table: (partner, λ, 1 - λ, 0). A weight of 0 is no factor: what
// it meets may be NaN. Buffers: other, table.
fn mixed(sample: u32, places: vec4<u32>, x: vec4<f32>) -> Mixed {
    let row = table[sample];
    let own = bitcast<f32>(row.y);
    let rest = bitcast<f32>(row.z);
    let z = partner(row.x, places);
    return Mixed(select(vec4<f32>(0.0), own * x, own != 0.0) + select(vec4<f32>(0.0), rest * z.v, rest != 0.0), z.here);
}
