// Maps every element of a batch, knowing its sample and its place in it. One workgroup per block of WG * QUADS quads, lanes side
// by side. The map is a part: `mixed(sample, places, x)`, mixing/mixup and the like, which finds what belongs to a
// sample in `table`; maps of two samples read the other by lib/samples/partner_quads or lib/samples/partner_elements.
//!use lib/partition/grid

// Buffers: x (read), those of the parts, y (written).

override WG: u32 = 256;
override QUADS: u32 = 4;
// Whether a sample is whole quads, so that a quad belongs to one.
override ALIGNED: bool = false;
// Whether partners are bound window by window, so that an element is written by one of several dispatches.
override SPLIT: bool = false;

// What a map makes of four elements, or of one in all four places; whether this dispatch can tell.
struct Mixed { v: vec4<f32>, here: bool }

// The four elements of quad i, one sample after another within it.
fn one_by_one(i: u32, x: vec4<f32>) -> vec4<f32> {
    var y = vec4<f32>(0.0);
    if SPLIT { y = y_load(i); }
    for (var k = 0u; k < 4u; k++) {
        let unit = params.at_place + 4u * i + k;
        let m = mixed(params.at_sample + unit / params.length, vec4<u32>(unit % params.length), vec4<f32>(x[k]));
        if m.here { y[k] = m.v.x; }
    }
    return y;
}

@compute @workgroup_size(WG)
fn samples(@builtin(workgroup_id) wid: vec3<u32>,
           @builtin(num_workgroups) count: vec3<u32>,
           @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let start = (params.first + block) * WG * QUADS + lane_of(index, WG);
    for (var k = 0u; k < QUADS; k++) {
        let q = start + k * WG;
        if q < params.lo || q >= params.hi { continue; }
        let i = q - params.base;
        let x = x_load(i);
        if ALIGNED {
            let unit = params.at_place + 4u * i;
            let places = unit % params.length + vec4<u32>(0u, 1u, 2u, 3u);
            let m = mixed(params.at_sample + unit / params.length, places, x);
            if m.here { y_store(i, m.v); }
        } else {
            y_store(i, one_by_one(i, x));
        }
    }
}
