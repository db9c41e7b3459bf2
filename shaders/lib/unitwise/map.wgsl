// The last stage: each element of an arena of matrices becomes what the op makes of it and of its unit's coefficient, in place.
// Open: mapped(i, values, coefficients, own), where i is the quad's place among what is bound.
// The table: the arena's rows, then two for each matrix: (first quad, columns, 1 if columns are the units, first unit), own.
//!use lib/partition/grid
//!use lib/arena/segments

// Buffers: x (updated), those of the part, table, coefs.

override WG: u32 = 256;
override QUADS: u32 = 4;

// The row (x) and column (y) of the next element.
fn next(at: vec2<u32>, cols: u32) -> vec2<u32> {
    return select(vec2<u32>(at.x, at.y + 1u), vec2<u32>(at.x + 1u, 0u), at.y + 1u == cols);
}

// Elements past the matrix's end have no unit: any will do for them.
fn coef_of(at: vec2<u32>, where_: vec4<u32>) -> f32 {
    return coefs_at(min(where_.w + select(at.x, at.y, where_.z == 1u), params.units - 1u));
}

@compute @workgroup_size(WG)
fn unit_map(@builtin(workgroup_id) wid: vec3<u32>,
            @builtin(num_workgroups) count: vec3<u32>,
            @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let b = find_block(params.first + block, WG * QUADS);
    let where_ = table[params.segments + 2u * b.group];
    let own = bitcast<vec4<f32>>(table[params.segments + 2u * b.group + 1u]);
    for (var k = 0u; k < QUADS; k++) {
        let q = b.start + k * WG + lane_of(index, WG);
        if q < params.lo || q >= b.end { continue; }
        let e = 4u * (q - where_.x);
        let first = vec2<u32>(e / where_.y, e % where_.y);
        let second = next(first, where_.y);
        let third = next(second, where_.y);
        let c = vec4<f32>(coef_of(first, where_), coef_of(second, where_), coef_of(third, where_),
                          coef_of(next(third, where_.y), where_));
        let i = q - params.base;
        let x = x_load(i);
        x_store(i, select(x, mapped(i, x, c, own), live(b, q)));
    }
}
