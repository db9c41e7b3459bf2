// w = max(w, 0) for every weight of an arena. What has the sign bit becomes 0, the negative zero too; a NaN stays.
//!use lib/arena/map

// Buffers: grad (updated; weights here), table.

fn mapped(b: Block, q: u32, w: vec4<f32>) -> vec4<f32> {
    let bits = bitcast<vec4<u32>>(w);
    let negative = (bits >= vec4<u32>(0x80000000u)) & (bits <= vec4<u32>(0xff800000u));
    return select(w, vec4<f32>(0.0), negative);
}

@compute @workgroup_size(WG)
fn non_negative(@builtin(workgroup_id) wid: vec3<u32>,
                @builtin(num_workgroups) count: vec3<u32>,
                @builtin(local_invocation_index) index: u32) {
    map_arena(wid, count, index);
}
