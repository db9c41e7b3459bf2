// The element of another sample at the same place, for lib/samples/map, where samples begin within quads. Buffer: other.
//!use lib/samples/partner
fn partner(source: u32, places: vec4<u32>) -> Mixed {
    let e = partner_place(source, places.x);
    if e >= params.other_end { return Mixed(vec4<f32>(0.0), false); }
    return Mixed(vec4<f32>(other_at(e)), true);
}
