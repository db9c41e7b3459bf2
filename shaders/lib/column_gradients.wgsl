// dbias = sum dy, dweight = sum dy * xhat for every place in a row. One lane per place: adds the place's last partials in order.
// Before it: lib/channel_reduce with lib/column_products, and the fold's levels.
//!use lib/grid
//!use lib/sum_vec4

struct Params { blocks: u32, channels: u32, row: u32, stride: u32, count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
// Buffers: partials, dweight, dbias.

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn column_gradients(@builtin(workgroup_id) wid: vec3<u32>,
                    @builtin(num_workgroups) count: vec3<u32>,
                    @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    let c = block * WG + lane_of(index, WG);
    if block >= params.blocks || c >= params.channels { return; }
    var all = NOTHING;
    for (var i = 0u; i < params.count; i++) { all = merge(all, partials[c * params.row + i * params.stride]); }
    // Written, as the gradient that nobody wants is: to the same scratch, which has one usage in a dispatch.
    partials[c * params.row] = all;
    dbias_put(c, all.x);
    dweight_put(c, all.y);
}
