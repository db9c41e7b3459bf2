// out[i] = source[order[i]] row by row; zeros where `order` points past the last row. Copies, so exact.
// One workgroup per block of WG * QUADS quads of the output, lanes side by side.
//!use lib/partition/grid

// Buffers: source, order (read), out (written).

override WG: u32 = 256;
override QUADS: u32 = 4;

@compute @workgroup_size(WG)
fn gather_rows(@builtin(workgroup_id) wid: vec3<u32>,
               @builtin(num_workgroups) count: vec3<u32>,
               @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    let start = block * WG * QUADS + lane_of(index, WG);
    for (var k = 0u; k < QUADS; k++) {
        let q = start + k * WG;
        if q >= params.quads { continue; }
        let row = order[q / params.row_quads];
        var v = vec4<f32>(0.0);
        if row < params.rows { v = source_load(row * params.row_quads + q % params.row_quads); }
        out_store(q, v);
    }
}
