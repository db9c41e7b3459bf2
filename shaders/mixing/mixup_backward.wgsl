// dx = λ·dy + (1 - λ')·dy', where the prime marks the sample whose partner this one was, for lib/samples/map. Rows of the table:
// (that sample, λ, 1 - λ, 0). A weight of 0 is no factor. Buffers: other, table.
fn mixed(sample: u32, places: vec4<u32>, x: vec4<f32>) -> Mixed {
    let row = table[sample];
    let own = bitcast<f32>(row.y);
    let rest = bitcast<f32>(table[row.x].z);
    let z = partner(row.x, places);
    return Mixed(select(vec4<f32>(0.0), own * x, own != 0.0) + select(vec4<f32>(0.0), rest * z.v, rest != 0.0), z.here);
}
