// Rows whose lanes join by shuffles within subgroups, all of one size: lib/rows/rows_backward. Lanes are numbered by subgroup, however
// the device lays subgroups over a workgroup.
//!use lib/rows/rows_backward

@compute @workgroup_size(WG)
fn row_backward(@builtin(workgroup_id) wid: vec3<u32>,
               @builtin(num_workgroups) count: vec3<u32>,
               @builtin(subgroup_id) team: u32,
               @builtin(subgroup_invocation_id) place: u32) {
    let block = workgroup_index(wid, count);
    if block >= params.blocks { return; }
    rows_backward(block, lane_of(team * SUBGROUP + place, WG));
}
