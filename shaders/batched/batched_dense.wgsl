// y = x·w of each model, and the bias if there is one. x: `rows` rows of one row of `in_quads` quads for each model; w: for each model
// `weights` quads, a row of `out_quads` quads for each input, and the bias as one more row. One lane per tile of 8 rows by 4 columns:
// 128 products for 12 loads. Sums in f32, inputs in ascending order.
//!use lib/partition/grid

// Buffers: x, w (read), y (written).

override WG: u32 = 64;

fn put(row: u32, model: u32, column: u32, v: vec4<f32>) {
    if row < params.rows { y_store((row * params.models + model) * params.out_quads + column, v); }
}

@compute @workgroup_size(WG)
fn batched_dense(@builtin(workgroup_id) wid: vec3<u32>,
                 @builtin(num_workgroups) count: vec3<u32>,
                 @builtin(local_invocation_index) index: u32) {
    let tile = workgroup_index(wid, count) * WG + lane_of(index, WG);
    if tile >= params.tiles { return; }
    let model = tile / params.per_model;
    let place = tile % params.per_model;
    let column = place % params.out_quads;
    let row = place / params.out_quads * 8u;
    // Rows past the end repeat the last one; they are not stored.
    let last_row = vec4<u32>(params.rows - 1u);
    let upper = (min(vec4<u32>(row, row + 1u, row + 2u, row + 3u), last_row) * params.models + model) * params.in_quads;
    let lower = (min(vec4<u32>(row + 4u, row + 5u, row + 6u, row + 7u), last_row) * params.models + model) * params.in_quads;
    let first = model * params.weights + column;
    let last = first + 4u * params.in_quads * params.out_quads;
    var y0 = vec4<f32>(0.0);
    if params.bias != 0u { y0 = w_load(last); }
    var y1 = y0;
    var y2 = y0;
    var y3 = y0;
    var y4 = y0;
    var y5 = y0;
    var y6 = y0;
    var y7 = y0;
    // Counted in places that differ from lane to lane: Mesa compiles a kernel anew at every dispatch if the parameters alone
    // say that a loop is short, in order to unroll it.
    var q = 0u;
    for (var at = first; at < last; at += 4u * params.out_quads) {
        let w0 = w_load(at);
        let w1 = w_load(at + params.out_quads);
        let w2 = w_load(at + 2u * params.out_quads);
        let w3 = w_load(at + 3u * params.out_quads);
        let x0 = x_load(upper.x + q);
        let x1 = x_load(upper.y + q);
        let x2 = x_load(upper.z + q);
        let x3 = x_load(upper.w + q);
        let x4 = x_load(lower.x + q);
        let x5 = x_load(lower.y + q);
        let x6 = x_load(lower.z + q);
        let x7 = x_load(lower.w + q);
        y0 += x0.x * w0 + x0.y * w1 + x0.z * w2 + x0.w * w3;
        y1 += x1.x * w0 + x1.y * w1 + x1.z * w2 + x1.w * w3;
        y2 += x2.x * w0 + x2.y * w1 + x2.z * w2 + x2.w * w3;
        y3 += x3.x * w0 + x3.y * w1 + x3.z * w2 + x3.w * w3;
        y4 += x4.x * w0 + x4.y * w1 + x4.z * w2 + x4.w * w3;
        y5 += x5.x * w0 + x5.y * w1 + x5.z * w2 + x5.w * w3;
        y6 += x6.x * w0 + x6.y * w1 + x6.z * w2 + x6.w * w3;
        y7 += x7.x * w0 + x7.y * w1 + x7.z * w2 + x7.w * w3;
        q++;
    }
    put(row, model, column, y0);
    put(row + 1u, model, column, y1);
    put(row + 2u, model, column, y2);
    put(row + 3u, model, column, y3);
    put(row + 4u, model, column, y4);
    put(row + 5u, model, column, y5);
    put(row + 6u, model, column, y6);
    put(row + 7u, model, column, y7);
}
