// Rows whose lanes join by way of workgroup memory: lib/rows/rows_backward.
//!use lib/rows/rows_backward

@compute @workgroup_size(WG)
fn row_backward(@builtin(workgroup_id) wid: vec3<u32>,
               @builtin(num_workgroups) count: vec3<u32>,
               @builtin(local_invocation_index) index: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    rows_backward(block, lane_of(index, WG));
}
