// dbias = sum dy, dweight = sum dy * xhat for every place in a row. A few lanes per place: adds the place's last partials in order.
// Before it: lib/channels/reduce with lib/rows/column_products, and the reduction levels.
//!use lib/partition/grid
//!use lib/channels/team
//!use lib/reduce/sum_vec4

// Buffers: partials, dweight, dbias.

override WG: u32 = 256;

@compute @workgroup_size(WG)
fn column_gradients(@builtin(workgroup_id) wid: vec3<u32>,
                    @builtin(num_workgroups) count: vec3<u32>,
                    @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    let c = channel_of(block, lane);
    let all = channel_total(c, lane);
    if c >= params.channels || !leads(lane) { return; }
    // Written, as the gradient that nobody wants is: to the same scratch, which has one usage in a dispatch.
    partials[c * params.row] = all;
    dbias_put(c, all.x);
    dweight_put(c, all.y);
}
