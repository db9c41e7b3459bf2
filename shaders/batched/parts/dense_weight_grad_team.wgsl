// `batched_dense_weight_grad` where lanes are a team, see batched/parts/dense_forward_team: a lane for each of 8 neighbouring quads of outputs, and
// 8 quads of inputs. All lanes need all of these, so each loads a different one: 128 products for 2 loads. Each sum is formed as in the
// plain kernel.
//!use lib/partition/grid
//!use batched/parts/dense_team

// Buffers: x, dy (read), dw (written).

// The sums of a quad of inputs: a row of the gradient for each.
fn add(d: mat4x4<f32>, x: vec4<f32>, dy: vec4<f32>) -> mat4x4<f32> {
    return mat4x4<f32>(d[0] + x.x * dy, d[1] + x.y * dy, d[2] + x.z * dy, d[3] + x.w * dy);
}

fn put(row: u32, to: Place, d: mat4x4<f32>) {
    if !to.stores || row >= params.in_quads { return; }
    let q = to.model * params.weights + 4u * row * params.out_quads + to.column;
    dw_store(q, d[0]);
    dw_store(q + params.out_quads, d[1]);
    dw_store(q + 2u * params.out_quads, d[2]);
    dw_store(q + 3u * params.out_quads, d[3]);
}

@compute @workgroup_size(8)
fn batched_dense_weight_grad(@builtin(workgroup_id) wid: vec3<u32>,
                             @builtin(num_workgroups) count: vec3<u32>,
                             @builtin(subgroup_invocation_id) lane: u32) {
    let tile = workgroup_index(wid, count);
    if tile >= params.tiles { return; }
    let to = place_of(tile, params.out_quads, lane);
    let row = to.down * 8u;
    let step_x = params.models * params.in_quads;
    let step_dy = params.models * params.out_quads;
    // Inputs past the end repeat the last ones; they are not stored.
    var from_x = to.model * params.in_quads + min(row + lane, params.in_quads - 1u);
    // Counted in places that depend on the model alone, for the reasons that batched/parts/dense_forward_team gives.
    let first = tile / params.per_model * params.out_quads;
    let last = first + params.rows * step_dy;
    var sum = vec4<f32>(0.0);
    var a = mat4x4<f32>();
    var b = mat4x4<f32>();
    var c = mat4x4<f32>();
    var d = mat4x4<f32>();
    var e = mat4x4<f32>();
    var f = mat4x4<f32>();
    var g = mat4x4<f32>();
    var h = mat4x4<f32>();
    for (var at = first; at < last; at += step_dy) {
        let dy = dy_load(at + to.column);
        let x = x_load(from_x);
        a = add(a, subgroupBroadcast(x, 0u), dy);
        b = add(b, subgroupBroadcast(x, 1u), dy);
        c = add(c, subgroupBroadcast(x, 2u), dy);
        d = add(d, subgroupBroadcast(x, 3u), dy);
        e = add(e, subgroupBroadcast(x, 4u), dy);
        f = add(f, subgroupBroadcast(x, 5u), dy);
        g = add(g, subgroupBroadcast(x, 6u), dy);
        h = add(h, subgroupBroadcast(x, 7u), dy);
        sum += dy;
        from_x += step_x;
    }
    // The tile with the last inputs also has the bias. First, so that one quad too many below would show.
    if params.bias != 0u && to.stores && row + 8u >= params.in_quads {
        dw_store(to.model * params.weights + 4u * params.in_quads * params.out_quads + to.column, sum);
    }
    put(row, to, a);
    put(row + 1u, to, b);
    put(row + 2u, to, c);
    put(row + 3u, to, d);
    put(row + 4u, to, e);
    put(row + 5u, to, f);
    put(row + 6u, to, g);
    put(row + 7u, to, h);
}
