// y = x·w + bias, then max(·, 0) if asked. x: batch rows of `in_quads` quads; w: one row of `out_quads` quads per input, and the
// bias as one more row. One lane per tile of 4 rows by 4 columns: 64 products for 8 loads. Sums in f32, inputs in ascending order.
//!use lib/grid

struct Params { batch: u32, in_quads: u32, out_quads: u32, tiles: u32, bias: u32, relu: u32 }

@group(0) @binding(0) var<uniform> params: Params;
// Buffers: x, w (read), y (written).

override WG: u32 = 64;

fn finish(v: vec4<f32>, bias: vec4<f32>) -> vec4<f32> {
    let y = v + bias;
    // Written so that NaN stays NaN.
    return select(y, vec4<f32>(0.0), (y <= vec4<f32>(0.0)) & vec4<bool>(params.relu != 0u));
}

@compute @workgroup_size(WG)
fn dense(@builtin(workgroup_id) wid: vec3<u32>,
         @builtin(num_workgroups) count: vec3<u32>,
         @builtin(local_invocation_index) index: u32) {
    let tile = workgroup_index(wid, count) * WG + lane_of(index, WG);
    if tile >= params.tiles { return; }
    let column = tile % params.out_quads;
    let row = tile / params.out_quads * 4u;
    // Rows past the end repeat the last one; they are not stored.
    let rows = min(vec4<u32>(row, row + 1u, row + 2u, row + 3u), vec4<u32>(params.batch - 1u));
    let start = rows * params.in_quads;
    let last = 4u * params.in_quads * params.out_quads + column;
    var y0 = vec4<f32>(0.0);
    var y1 = vec4<f32>(0.0);
    var y2 = vec4<f32>(0.0);
    var y3 = vec4<f32>(0.0);
    // Counted in places that differ from lane to lane: Mesa compiles a kernel anew at every dispatch if the parameters alone
    // say that a loop is short, in order to unroll it.
    var q = 0u;
    for (var at = column; at < last; at += 4u * params.out_quads) {
        let w0 = w_load(at);
        let w1 = w_load(at + params.out_quads);
        let w2 = w_load(at + 2u * params.out_quads);
        let w3 = w_load(at + 3u * params.out_quads);
        let x0 = x_load(start.x + q);
        let x1 = x_load(start.y + q);
        let x2 = x_load(start.z + q);
        let x3 = x_load(start.w + q);
        y0 += x0.x * w0 + x0.y * w1 + x0.z * w2 + x0.w * w3;
        y1 += x1.x * w0 + x1.y * w1 + x1.z * w2 + x1.w * w3;
        y2 += x2.x * w0 + x2.y * w1 + x2.z * w2 + x2.w * w3;
        y3 += x3.x * w0 + x3.y * w1 + x3.z * w2 + x3.w * w3;
        q++;
    }
    var bias = vec4<f32>(0.0);
    if params.bias != 0u { bias = w_load(last); }
    let to = row * params.out_quads + column;
    y_store(to, finish(y0, bias));
    if row + 1u < params.batch { y_store(to + params.out_quads, finish(y1, bias)); }
    if row + 2u < params.batch { y_store(to + 2u * params.out_quads, finish(y2, bias)); }
    if row + 3u < params.batch { y_store(to + 3u * params.out_quads, finish(y3, bias)); }
}
