// The second stage: merges the partials of each unit and leaves what its elements need, one number. A team of lanes per unit.
// Open: coefficient(sums, own, unit), and coef_store(unit, coefficient): lib/unitwise/coef_keep or lib/unitwise/coef_count.
//!use lib/partition/grid
//!use lib/unitwise/units
//!use lib/reduce/scaled_squares

// Buffers: scratch, in which partials, coefficients, and what may lie beside them, start at these words; table.

override WG: u32 = 256;

fn first_block(m: u32) -> u32 {
    return table[4u * m + 2u].z;
}

// What is NaN or infinite leaves no number: NaN.
fn finite_or_nan(norm: f32) -> f32 {
    let bits = bitcast<u32>(norm);
    return bitcast<f32>(select(bits, bits | 0x7fc00000u, (bits & 0x7fffffffu) >= 0x7f800000u));
}

fn partial_at(p: u32) -> vec4<f32> {
    let i = params.partials + 4u * p;
    return bitcast<vec4<f32>>(vec4<u32>(scratch[i], scratch[i + 1u], scratch[i + 2u], scratch[i + 3u]));
}

var<workgroup> of_lanes: array<vec4<f32>, WG>;

@compute @workgroup_size(WG)
fn unit_coefs(@builtin(workgroup_id) wid: vec3<u32>,
              @builtin(num_workgroups) count: vec3<u32>,
              @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let m = find_matrix(block);
    let shape = table[4u * m];
    let cut = table[4u * m + 1u];
    let place = table[4u * m + 2u];
    let lane = lane_of(index, WG);
    let team = place.w;
    let unit = (block - place.z) * (WG / team) + lane / team;
    let ours = unit < select(shape.z, shape.w, cut.x == 1u);
    var mine = vec4<f32>(0.0);
    if ours {
        for (var p = lane % team; p < cut.z; p += team) { mine += partial_at(place.x + unit * cut.z + p); }
    }
    of_lanes[lane] = mine;
    workgroupBarrier();
    for (var half = WG / 2u; half > 0u; half /= 2u) {
        if half < team && (lane & (2u * half - 1u)) < half { of_lanes[lane] += of_lanes[lane + half]; }
        workgroupBarrier();
    }
    if ours && lane % team == 0u {
        let own = bitcast<vec4<f32>>(table[4u * m + 3u]);
        coef_store(place.y + unit, coefficient(of_lanes[lane], own, place.y + unit));
    }
}
