// The second pass of SAM: saved = w, w += rho·reach²·grad/(norm + eps), over every tensor of an arena. The weight is kept bit for
// bit, so that the way back is exact. One workgroup per block of WG * QUADS quads, lanes side by side. Open: reach.
//!use lib/partition/grid
//!use lib/arena/segments
//!use lib/reduce/scaled_squares

// Buffers: grad (read), weight, saved (updated), table, sums (read): what averaging/parts/sam_norm found, in one entry.

override WG: u32 = 256;
override QUADS: u32 = 4;

// v, which no compiler may draw into the products around it: `zero` is 0, and none can know that.
fn apart(v: vec4<f32>, zero: u32) -> vec4<f32> {
    return bitcast<vec4<f32>>(bitcast<vec4<u32>>(v) ^ vec4<u32>(zero));
}

@compute @workgroup_size(WG)
fn sam_perturb(@builtin(workgroup_id) wid: vec3<u32>,
               @builtin(num_workgroups) count: vec3<u32>,
               @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let b = find_block(params.first + block, WG * QUADS);
    let norm = scaled_norm(sums[0]);
    // Without a gradient there is no direction, and no step.
    let nothing = (bitcast<u32>(norm.y) & 0x7fffffffu) == 0u;
    // The sign of a sum of squares. If that is NaN, so is every weight.
    let zero = bitcast<u32>(sums[0].x) >> 31u;
    let factor = select(params.rho / (norm.y + params.eps * norm.x), 0.0, nothing);
    for (var k = 0u; k < QUADS; k++) {
        let q = b.start + k * WG + lane_of(index, WG);
        if q < params.lo || q >= b.end { continue; }
        let i = q - params.base;
        let alive = live(b, q);
        let w = weight_load(i);
        let far = reach(i);
        // From the outside, so that no product leaves the range of f32 before the last. Mesa's OpenGL would multiply norm.x and factor
        // first, since they are the same for all.
        let part = apart(apart(far * grad_load(i), zero) * norm.x, zero);
        let e = far * apart(part * factor, zero);
        saved_set(i, weight_bits(i), alive);
        weight_store(i, select(w, w + e, alive));
    }
}
