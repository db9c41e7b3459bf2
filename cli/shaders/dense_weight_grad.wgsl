// dw = xᵀ·dy, and the sums of dy over the batch as one more row: the gradient of weights and bias as `dense` lays them out.
// One lane per tile of 4 inputs by 4 outputs: 16 products for 2 loads. Sums in f32, samples in ascending order.
//!use lib/grid

struct Params { batch: u32, in_quads: u32, out_quads: u32, tiles: u32 }

@group(0) @binding(0) var<uniform> params: Params;
// Buffers: x, dy (read), dw (written).

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn dense_weight_grad(@builtin(workgroup_id) wid: vec3<u32>,
                     @builtin(num_workgroups) count: vec3<u32>,
                     @builtin(local_invocation_index) index: u32) {
    let tile = workgroup_index(wid, count) * WG + lane_of(index, WG);
    if tile >= params.tiles { return; }
    let column = tile % params.out_quads;
    let row = tile / params.out_quads;
    let to = 4u * row * params.out_quads + column;
    // Counted in places that differ from lane to lane, for the reason that `dense` gives.
    let last = params.batch * params.out_quads + column;
    var d0 = vec4<f32>(0.0);
    if row == params.in_quads {
        // Behind the last inputs comes the bias.
        for (var at = column; at < last; at += params.out_quads) { d0 += dy_load(at); }
        dw_store(to, d0);
        return;
    }
    var d1 = vec4<f32>(0.0);
    var d2 = vec4<f32>(0.0);
    var d3 = vec4<f32>(0.0);
    var from_x = row;
    for (var at = column; at < last; at += params.out_quads) {
        let g = dy_load(at);
        let v = x_load(from_x);
        d0 += v.x * g;
        d1 += v.y * g;
        d2 += v.z * g;
        d3 += v.w * g;
        from_x += params.in_quads;
    }
    dw_store(to, d0);
    dw_store(to + params.out_quads, d1);
    dw_store(to + 2u * params.out_quads, d2);
    dw_store(to + 3u * params.out_quads, d3);
}
