// dx = scale·dy where the stored mask has a 1, +0 where not. (Without a stored mask the backward pass is dropout.wgsl.)
//!use lib/grid

struct Params { first: u32, blocks: u32, lo: u32, hi: u32, base: u32, end: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
// Buffers: dy (read), mask (read; bit e & 31 of word e >> 5 for element e), dx (written).

override WG: u32 = 256;
override QUADS: u32 = 4;

@compute @workgroup_size(WG)
fn dropout_backward(@builtin(workgroup_id) wid: vec3<u32>,
                    @builtin(num_workgroups) count: vec3<u32>,
                    @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let start = (params.first + block) * QUADS * WG + lane_of(index, WG);
    for (var k = 0u; k < QUADS; k++) {
        let q = start + k * WG;
        if q < params.lo || q >= params.hi { continue; }
        let i = q - params.base;
        let word = mask[i >> 3u] >> (4u * (i & 7u));
        let kept = (vec4<u32>(word) & vec4<u32>(1u, 2u, 4u, 8u)) != vec4<u32>(0u);
        dx_store(i, select(vec4<f32>(0.0), dy_load(i) * params.scale, kept));
    }
}
