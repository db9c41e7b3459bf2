// y is the partner's x within the sample's box, and x outside, for lib/samples/map. Rows of the table: partners, then boxes.
// Buffers: other, table.
//!use mixing/parts/boxes
fn mixed(sample: u32, places: vec4<u32>, x: vec4<f32>) -> Mixed {
    let z = partner(table[2u * sample].x, places);
    return Mixed(select(x, z.v, inside(table[2u * sample + 1u], places)), z.here);
}
