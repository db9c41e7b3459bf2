// `batched_dense` on a device whose subgroups have 8 lanes, no more and no less, and where what a load costs is not hidden: a workgroup
// is one subgroup, a lane for each of 8 neighbouring quads of columns, and takes 16 rows. All lanes need the same x, so each loads a
// different row's and hands it to the others: 256 products for 6 loads. Each sum is formed as in the plain kernel.
//!use lib/partition/grid
//!use batched/parts/dense_team

// Buffers: x, w (read), y (written).

fn put(row: u32, to: Place, v: vec4<f32>) {
    if to.stores && row < params.rows { y_store((row * params.models + to.model) * params.out_quads + to.column, v); }
}

fn put_eight(row: u32, to: Place, y: Eight) {
    put(row, to, y.a);
    put(row + 1u, to, y.b);
    put(row + 2u, to, y.c);
    put(row + 3u, to, y.d);
    put(row + 4u, to, y.e);
    put(row + 5u, to, y.f);
    put(row + 6u, to, y.g);
    put(row + 7u, to, y.h);
}

fn product(x: vec4<f32>, w: mat4x4<f32>) -> vec4<f32> {
    return x.x * w[0] + x.y * w[1] + x.z * w[2] + x.w * w[3];
}

// Eight more quads of x, a lane's each.
fn add(sums: Eight, x: vec4<f32>, w: mat4x4<f32>) -> Eight {
    var y = sums;
    y.a = y.a + product(subgroupBroadcast(x, 0u), w);
    y.b = y.b + product(subgroupBroadcast(x, 1u), w);
    y.c = y.c + product(subgroupBroadcast(x, 2u), w);
    y.d = y.d + product(subgroupBroadcast(x, 3u), w);
    y.e = y.e + product(subgroupBroadcast(x, 4u), w);
    y.f = y.f + product(subgroupBroadcast(x, 5u), w);
    y.g = y.g + product(subgroupBroadcast(x, 6u), w);
    y.h = y.h + product(subgroupBroadcast(x, 7u), w);
    return y;
}

@compute @workgroup_size(8)
fn batched_dense(@builtin(workgroup_id) wid: vec3<u32>,
                 @builtin(num_workgroups) count: vec3<u32>,
                 @builtin(subgroup_invocation_id) lane: u32) {
    let tile = workgroup_index(wid, count);
    if tile >= params.tiles { return; }
    let to = place_of(tile, params.out_quads, lane);
    let row = to.down * 16u;
    let from_upper = line_of(row + lane, to.model) * params.in_quads;
    let from_lower = line_of(row + 8u + lane, to.model) * params.in_quads;
    let first = tile / params.per_model * params.weights;
    let last = first + 4u * params.in_quads * params.out_quads;
    var bias = vec4<f32>(0.0);
    if params.bias != 0u { bias = w_load(last + to.column); }
    var upper = Eight(bias, bias, bias, bias, bias, bias, bias, bias);
    var lower = Eight(bias, bias, bias, bias, bias, bias, bias, bias);
    // Counted in places that depend on the model, for the reason that the plain kernel gives, and on nothing that may differ from
    // lane to lane: all of a subgroup take part in each broadcast, and a compiler must see that they do.
    var q = 0u;
    for (var at = first; at < last; at += 4u * params.out_quads) {
        let from_w = at + to.column;
        let w = mat4x4<f32>(w_load(from_w), w_load(from_w + params.out_quads), w_load(from_w + 2u * params.out_quads),
                            w_load(from_w + 3u * params.out_quads));
        upper = add(upper, x_load(from_upper + q), w);
        lower = add(lower, x_load(from_lower + q), w);
        q++;
    }
    put_eight(row, to, upper);
    put_eight(row + 8u, to, lower);
}
