// dx = (dy outside the sample's own box) + (dy' within the box of the sample whose partner this one was), for lib/samples/map. Rows
// of the table: (that sample, 0, 0, 0) and the box, for each sample. Selects, since dy may be NaN. Buffers: other, table.
//!use mixing/parts/boxes
fn mixed(sample: u32, places: vec4<u32>, x: vec4<f32>) -> Mixed {
    let source = table[2u * sample].x;
    let z = partner(source, places);
    let given = select(vec4<f32>(0.0), z.v, inside(table[2u * source + 1u], places));
    return Mixed(given + select(x, vec4<f32>(0.0), inside(table[2u * sample + 1u], places)), z.here);
}
