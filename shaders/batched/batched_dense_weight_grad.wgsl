// dw = xᵀ·dy of each model, and the sums of dy over the rows as one more row if there is a bias: the gradient of weights and bias as
// `batched_dense` lays them out. One lane per tile of 8 inputs by 4 outputs: 32 products for 3 loads. Sums in f32, rows in
// ascending order.
//!use lib/partition/grid

// Buffers: x, dy (read), dw (written).

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn batched_dense_weight_grad(@builtin(workgroup_id) wid: vec3<u32>,
                             @builtin(num_workgroups) count: vec3<u32>,
                             @builtin(local_invocation_index) index: u32) {
    let tile = workgroup_index(wid, count) * WG + lane_of(index, WG);
    if tile >= params.tiles { return; }
    let model = tile / params.per_model;
    let place = tile % params.per_model;
    let column = place % params.out_quads;
    let row = place / params.out_quads * 2u;
    // Inputs past the end repeat the last ones; they are not stored.
    let second = min(row + 1u, params.in_quads - 1u);
    let step_x = params.models * params.in_quads;
    let step_dy = params.models * params.out_quads;
    var from_x = model * params.in_quads + row;
    let further = second - row;
    // Counted in places that differ from lane to lane, for the reason that `batched_dense` gives.
    let first = model * params.out_quads + column;
    let last = first + params.rows * step_dy;
    var d0 = vec4<f32>(0.0);
    var d1 = vec4<f32>(0.0);
    var d2 = vec4<f32>(0.0);
    var d3 = vec4<f32>(0.0);
    var d4 = vec4<f32>(0.0);
    var d5 = vec4<f32>(0.0);
    var d6 = vec4<f32>(0.0);
    var d7 = vec4<f32>(0.0);
    var sum = vec4<f32>(0.0);
    for (var at = first; at < last; at += step_dy) {
        let g = dy_load(at);
        let v = x_load(from_x);
        let u = x_load(from_x + further);
        d0 += v.x * g;
        d1 += v.y * g;
        d2 += v.z * g;
        d3 += v.w * g;
        d4 += u.x * g;
        d5 += u.y * g;
        d6 += u.z * g;
        d7 += u.w * g;
        sum += g;
        from_x += step_x;
    }
    let to = model * params.weights + 4u * row * params.out_quads + column;
    dw_store(to, d0);
    dw_store(to + params.out_quads, d1);
    dw_store(to + 2u * params.out_quads, d2);
    dw_store(to + 3u * params.out_quads, d3);
    if row + 1u < params.in_quads {
        dw_store(to + 4u * params.out_quads, d4);
        dw_store(to + 5u * params.out_quads, d5);
        dw_store(to + 6u * params.out_quads, d6);
        dw_store(to + 7u * params.out_quads, d7);
    }
    // The tile with the last inputs also has the bias.
    if params.bias != 0u && row + 2u >= params.in_quads {
        dw_store(model * params.weights + 4u * params.in_quads * params.out_quads + column, sum);
    }
}
