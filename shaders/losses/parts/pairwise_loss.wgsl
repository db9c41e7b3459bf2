// A loss of each pair of prediction and target, and its derivative, by their difference d alone. One workgroup per block of
// WG * QUADS quads, lanes side by side.
// Open: value_of, slope_of (the op's own file), keep_values, keep_block (values_each, values_sum), gradient_store.
//!use lib/partition/grid
//!use lib/reduce/sum_vec4
//!use lib/reduce/workgroup

// Buffers: pred, wanted (read); those of the parts.

override WG: u32 = 256;
override QUADS: u32 = 4;

// By the bits: a device may flush what is small, and is free to take any sign for that of a NaN. 0 and NaN stay.
fn sign_of(d: vec4<f32>) -> vec4<f32> {
    let bits = bitcast<vec4<u32>>(d);
    let magnitude = bits & vec4<u32>(0x7fffffffu);
    let one = bitcast<vec4<f32>>((bits & vec4<u32>(0x80000000u)) | vec4<u32>(0x3f800000u));
    return select(one, d, (magnitude == vec4<u32>(0u)) | (magnitude > vec4<u32>(0x7f800000u)));
}

@compute @workgroup_size(WG)
fn pairwise_loss(@builtin(workgroup_id) wid: vec3<u32>,
                 @builtin(num_workgroups) count: vec3<u32>,
                 @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let lane = lane_of(index, WG);
    let start = (params.first + block) * QUADS * WG + lane;
    var mine = NOTHING;
    for (var k = 0u; k < QUADS; k++) {
        let q = start + k * WG;
        if q < params.lo || q >= params.hi { continue; }
        let i = q - params.base;
        // Behind a ragged end both read as 0, whose loss is 0.
        let d = pred_load(i) - wanted_load(i);
        let value = value_of(d);
        keep_values(i, value);
        mine = merge(mine, value);
        gradient_store(i, params.factor * slope_of(d));
    }
    let all = reduce(lane, mine);
    if lane == 0u { keep_block(block, params.scale * ((all.x + all.y) + (all.z + all.w))); }
}
