// dx is 0 within the sample's box, whatever was written there, and dy outside, for lib/samples/map. Rows of the table: boxes.
// Buffer: table.
//!use mixing/parts/boxes
fn mixed(sample: u32, places: vec4<u32>, x: vec4<f32>) -> Mixed {
    return Mixed(select(x, vec4<f32>(0.0), inside(table[sample], places)), true);
}
