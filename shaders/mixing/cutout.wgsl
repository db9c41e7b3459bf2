// y is `value` within the sample's box, and x outside, for lib/samples/map. Rows of the table: boxes. Buffer: table.
//!use mixing/parts/boxes
fn mixed(sample: u32, places: vec4<u32>, x: vec4<f32>) -> Mixed {
    return Mixed(select(x, vec4<f32>(params.value), inside(table[sample], places)), true);
}
