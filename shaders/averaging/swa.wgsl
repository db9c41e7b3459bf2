// The equal average of the weights so far: fresh = 1 / (averaged + 1).
//!use lib/weight_average/update

@compute @workgroup_size(WG)
fn swa(@builtin(workgroup_id) wid: vec3<u32>,
       @builtin(num_workgroups) count: vec3<u32>,
       @builtin(local_invocation_index) index: u32) {
    average_update(wid, count, index);
}
